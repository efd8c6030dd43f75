-- A record's versions, newest first. $1 resource, $2 id, $3 below that version or null, $4 how many.
-- name: history :many
select c.id, c.version, c.action, c.at, c.actor, c.request_id, n.at
from change c
left join change n on n.id = c.id and n.version = c.version + 1 and n.resource = c.resource
where c.resource = $1::text and c.id = $2::uuid and ($3::bigint is null or c.version < $3::bigint)
order by c.version desc
limit $4::bigint

-- How far the feed can be told now: the epoch, and the first transaction that may still be under way.
-- name: feed_horizon :one
select epoch(), pg_snapshot_xmin(pg_current_snapshot())

-- Changes behind a position, below the horizon, oldest first. $1 epoch, $2 xid, $3 seq, $4 how many.
-- name: feed :many
select c.epoch, c.xid, c.seq, c.resource, c.id, c.version, c.action, c.at, c.actor, c.request_id
from change c
where (c.epoch, c.xid, c.seq) > ($1::integer, $2::xid8, $3::bigint)
	and (c.epoch < (select epoch()) or c.xid < (select pg_snapshot_xmin(pg_current_snapshot())))
order by c.epoch, c.xid, c.seq
limit $4::bigint

-- The same of some resources ($5): each is walked by an index of its own, however rare its changes are.
-- name: feed_of :many
select x.*
from unnest($5::text[]) r (resource)
cross join lateral (
	select c.epoch, c.xid, c.seq, c.resource, c.id, c.version, c.action, c.at, c.actor, c.request_id
	from change c
	where c.resource = r.resource and (c.epoch, c.xid, c.seq) > ($1::integer, $2::xid8, $3::bigint)
		and (c.epoch < (select epoch()) or c.xid < (select pg_snapshot_xmin(pg_current_snapshot())))
	order by c.epoch, c.xid, c.seq
	limit $4::bigint
) x
order by x.epoch, x.xid, x.seq
limit $4::bigint

-- Which resources have changes behind a position, below the horizon: what the hub of the stream looks for. $1 epoch, $2 xid,
-- $3 seq, $4 how many.
-- name: feed_news :many
select c.epoch, c.xid, c.seq, c.resource
from change c
where (c.epoch, c.xid, c.seq) > ($1::integer, $2::xid8, $3::bigint)
	and (c.epoch < (select epoch()) or c.xid < (select pg_snapshot_xmin(pg_current_snapshot())))
order by c.epoch, c.xid, c.seq
limit $4::bigint

-- Where news begin for a hub that knows nothing yet.
-- name: feed_newest :one
select epoch(), pg_snapshot_xmin(pg_current_snapshot()), 0

-- Of the keys given those that were revoked, or are gone.
-- name: keys_revoked :many
select k.id
from unnest($1::text[]) k (id)
left join api_key a on a.id = k.id
where a.revoked_at is not null or a.id is null
