-- What known_at needs to know of this instant. $1: the time asked for, null for a revision; $2: null at the first look, then what
-- the last column said: the transactions under way that may still stamp something at or before that time.
-- name: instant :one
select epoch(), pg_current_snapshot()::text, now(), clock_timestamp(),
	case when $1::timestamptz is null then null
		when $2::xid[] is null then writers_at($1::timestamptz)
		else array(select w from unnest(writers_at($1::timestamptz)) w where w = any ($2::xid[])) end
