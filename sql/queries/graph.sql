-- What the ownership register in memory is made of and follows (src/api/follower_rows.c reads the columns by their places).

-- Where it stands: the epoch, the snapshot, the time.
-- name: graph_look :one
select epoch(), pg_current_snapshot()::text, clock_timestamp()

-- name: graph_load_shareholders :many
select id, updated_at, known_xid, known_epoch, null::timestamptz, null::xid8, null::integer,
	slug, name, kind, country, state, null::uuid
from shareholder

-- name: graph_load_shareholders_past :many
select id, updated_at, known_xid, known_epoch, known_to, to_xid, to_epoch,
	slug, name, kind, country, state, null::uuid
from shareholder_past

-- name: graph_load_projects :many
select id, updated_at, known_xid, known_epoch, null::timestamptz, null::xid8, null::integer,
	slug, name, kind, country, null::text, company_id
from project

-- name: graph_load_projects_past :many
select id, updated_at, known_xid, known_epoch, known_to, to_xid, to_epoch,
	slug, name, kind, country, null::text, company_id
from project_past

-- name: graph_load_stakes :many
select id, updated_at, known_xid, known_epoch, null::timestamptz, null::xid8, null::integer,
	slug, holder_id, issuer_id, project_id, counterparty_id, instrument, stage, contingent, dilutive, valid_from, valid_to,
	shares_held, shares_issued, economic_pct, economic_min_pct, economic_max_pct, voting_pct, voting_min_pct, voting_max_pct
from stake

-- name: graph_load_stakes_past :many
select id, updated_at, known_xid, known_epoch, known_to, to_xid, to_epoch,
	slug, holder_id, issuer_id, project_id, counterparty_id, instrument, stage, contingent, dilutive, valid_from, valid_to,
	shares_held, shares_issued, economic_pct, economic_min_pct, economic_max_pct, voting_pct, voting_min_pct, voting_max_pct
from stake_past

-- The difference of two snapshots: all changes that this statement's sees and an older one did not, with their bodies, in the order
-- in which they were made (where it matters: those of one record); before them a row without a change. Every row says where this
-- snapshot stands. $1 the epoch, $2 the older snapshot's xmax, $3 its transactions under way: whatever it did not see is one of
-- these, or not before xmax. Those that are still under way are left out first, or every look would go through all that a large
-- import has written so far. A change's body is in the table or among the past ones, whichever; a deletion has none.
-- Meant for one plan of nested loops along indexes: the session says so.
-- name: graph_delta :many
select (select epoch()), (select pg_current_snapshot()::text), (select clock_timestamp()),
	c.resource, c.action, c.id, c.at, c.xid, c.epoch,
	coalesce(h.slug, p.slug, s.slug), coalesce(h.name, p.name), coalesce(h.kind, p.kind), coalesce(h.country, p.country),
	h.state, p.company_id,
	s.holder_id, s.issuer_id, s.project_id, s.counterparty_id, s.instrument, s.stage, s.contingent, s.dilutive, s.valid_from,
	s.valid_to, s.shares_held, s.shares_issued, s.economic_pct, s.economic_min_pct, s.economic_max_pct, s.voting_pct,
	s.voting_min_pct, s.voting_max_pct
from (
	select null::bigint as seq, null::text as resource, null::text as action, null::uuid as id, null::bigint as version,
		null::timestamptz as at, null::xid8 as xid, null::integer as epoch
	union all
	select c.*
	from unnest('{shareholders,projects,stakes}'::text[]) r (resource)
	cross join lateral (
		select c.seq, c.resource, c.action, c.id, c.version, c.at, c.xid, c.epoch
		from change c
		where c.resource = r.resource and c.epoch = $1::integer and c.xid >= $2::xid8
		offset 0
	) c
	union all
	select c.*
	from unnest($3::xid8[]) x (xid)
	cross join unnest('{shareholders,projects,stakes}'::text[]) r (resource)
	cross join lateral (
		select c.seq, c.resource, c.action, c.id, c.version, c.at, c.xid, c.epoch
		from change c
		where c.resource = r.resource and c.epoch = $1::integer and c.xid = x.xid
			and pg_visible_in_snapshot(x.xid, pg_current_snapshot())
		offset 0
	) c
	order by seq nulls first
) c
left join lateral (
	select t.slug, t.name, t.kind, t.country, t.state
	from shareholder t where c.resource = 'shareholders' and t.id = c.id and t.version = c.version
	union all
	select t.slug, t.name, t.kind, t.country, t.state
	from shareholder_past t where c.resource = 'shareholders' and t.id = c.id and t.version = c.version
	limit 1
) h on true
left join lateral (
	select t.slug, t.name, t.kind, t.country, t.company_id
	from project t where c.resource = 'projects' and t.id = c.id and t.version = c.version
	union all
	select t.slug, t.name, t.kind, t.country, t.company_id
	from project_past t where c.resource = 'projects' and t.id = c.id and t.version = c.version
	limit 1
) p on true
left join lateral (
	select t.slug, t.holder_id, t.issuer_id, t.project_id, t.counterparty_id, t.instrument, t.stage, t.contingent, t.dilutive,
		t.valid_from, t.valid_to, t.shares_held, t.shares_issued, t.economic_pct, t.economic_min_pct, t.economic_max_pct,
		t.voting_pct, t.voting_min_pct, t.voting_max_pct
	from stake t where c.resource = 'stakes' and t.id = c.id and t.version = c.version
	union all
	select t.slug, t.holder_id, t.issuer_id, t.project_id, t.counterparty_id, t.instrument, t.stage, t.contingent, t.dilutive,
		t.valid_from, t.valid_to, t.shares_held, t.shares_issued, t.economic_pct, t.economic_min_pct, t.economic_max_pct,
		t.voting_pct, t.voting_min_pct, t.voting_max_pct
	from stake_past t where c.resource = 'stakes' and t.id = c.id and t.version = c.version
	limit 1
) s on true
order by c.seq nulls first
