-- What known_at needs to know of this instant. $1: the time asked for, null for a revision; $2: null at the first look, then what
-- the last column said. It names the transactions under way that may still stamp something at or before that time: those with
-- an id (every write takes one before it stamps anything) that did not provably begin later. When another account's transaction
-- began cannot be seen, so it counts; those of other databases write nothing here.
-- name: instant :one
select epoch(), pg_current_snapshot()::text, now(), clock_timestamp(),
	case when $1::timestamptz is null then null else array(
		select l.transactionid
		from pg_locks l
		left join pg_stat_activity a on a.pid = l.pid
		where l.locktype = 'transactionid' and l.granted and l.mode = 'ExclusiveLock'
			and (a.pid is null or a.datid = (select d.oid from pg_database d where d.datname = current_database()))
			and coalesce(a.xact_start <= $1::timestamptz, true)
			and ($2::xid[] is null or l.transactionid = any ($2::xid[]))) end
