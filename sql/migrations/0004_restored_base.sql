-- A base restored into the cluster that it was dumped in has the cluster's identity as before, but the transactions since then
-- are others. Its tables are new ones, though: an epoch also ends where the table of epochs is not the one it was written in. And
-- one backup can be restored twice: a new epoch's number is the time in seconds, so that both lives get numbers of their own.

alter table epoch add column relation oid;
update epoch set relation = 'epoch'::regclass;
-- Looked up when a row is written: a constant would have to name the table before a restore has made it.
alter table epoch alter column relation set default to_regclass('lodebase.epoch'), alter column relation set not null;

create or replace function check_epoch() returns integer
language plpgsql volatile security definer
set search_path = lodebase, pg_temp
as $$
declare
	here bigint;
	line integer;
	newest epoch%rowtype;
begin
	if pg_is_in_recovery() or current_setting('transaction_read_only')::boolean then
		return epoch();
	end if;
	select c.system_identifier into here from pg_control_system() c;
	line := ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer;
	select * into newest from epoch e order by e.epoch desc limit 1;
	if found and newest.system_identifier = here and newest.timeline = line and newest.relation = 'epoch'::regclass then
		return newest.epoch;
	end if;
	lock table epoch in share row exclusive mode;
	select * into newest from epoch e order by e.epoch desc limit 1;
	if found and newest.system_identifier = here and newest.timeline = line and newest.relation = 'epoch'::regclass then
		return newest.epoch;
	end if;
	insert into epoch (epoch, system_identifier, timeline)
	values (greatest(newest.epoch + 1, extract(epoch from clock_timestamp() - timestamptz '2025-01-01 00:00Z')::integer), here,
		line)
	returning * into newest;
	return newest.epoch;
end
$$;
