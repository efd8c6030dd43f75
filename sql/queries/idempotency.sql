-- What a request with this key was answered within a day, if any did, and whether one runs. $1 key's id, $2 key.
-- name: idempotency_look :one
select i.request, i.status, i.resource, i.id, i.version, i.body, c.at,
	exists (
		select from pg_locks l
		where l.locktype = 'advisory' and l.database = (select d.oid from pg_database d where d.datname = current_database())
			and l.objsubid = 1 and (l.classid::bigint << 32 | l.objid::bigint) = idempotency_lock($1::text, $2::text))
from (select 1) one
left join idempotency i on i.key_id = $1::text and i.key = $2::text and i.at >= clock_timestamp() - interval '24 hours'
left join change c on c.id = i.id and c.version = i.version and c.resource = i.resource

-- name: idempotency_begin :exec
select idempotency_begin($1::text, $2::text)

-- $1 key's id, $2 key, $3 SHA-256 in hex, $4 status, $5 resource, $6 id, $7 version, $8 body.
-- name: idempotency_keep :exec
insert into idempotency (key_id, key, request, status, resource, id, version, body)
values ($1::text, $2::text, decode($3::text, 'hex'), $4::integer, $5::text, $6::uuid, $7::bigint, $8::text)
