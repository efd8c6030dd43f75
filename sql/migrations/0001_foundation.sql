-- The base as it stands from its first day: roles, epochs, keys, the change log, the three nouns with their histories, and
-- the rule that nobody owns more than all of something. Runs once, in one transaction, as the owner, with the search path on
-- schema lodebase. History triggers are not here: they are composed from the field tables and laid after the migrations.

-- Settings ------------------------------------------------------------------------------------------------------------

create table setting (
	name text collate "C" primary key,
	value text collate "C" not null
);

-- Signs cursors, so that every instance and every restart takes every cursor. Five random UUIDs are 610 random bits.
insert into setting (name, value)
values ('cursor_secret', encode(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid() || gen_random_uuid() ||
	gen_random_uuid() || gen_random_uuid(), 'UTF8')), 'hex'));

-- Epochs --------------------------------------------------------------------------------------------------------------

-- Transaction ids order the change log. They start lower again where the base is restored into another cluster or to an
-- earlier time; a new epoch then begins, so that (epoch, xid, seq) keeps growing.
create table epoch (
	epoch integer primary key,
	system_identifier bigint not null,
	timeline integer not null,
	began_at timestamptz not null default clock_timestamp()
);

create function epoch() returns integer
language sql stable
as 'select max(e.epoch) from lodebase.epoch e';

-- Compares the cluster with the one that the newest epoch was written in, and begins an epoch where they differ. Called at
-- start and before the first write of every connection. The timeline is that of the write-ahead log now: the control file
-- learns of a promotion only with the next checkpoint.
create function check_epoch() returns integer
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
	if found and newest.system_identifier = here and newest.timeline = line then
		return newest.epoch;
	end if;
	lock table epoch in share row exclusive mode;
	select * into newest from epoch e order by e.epoch desc limit 1;
	if found and newest.system_identifier = here and newest.timeline = line then
		return newest.epoch;
	end if;
	insert into epoch (epoch, system_identifier, timeline) values (coalesce(newest.epoch, 0) + 1, here, line)
	returning * into newest;
	return newest.epoch;
end
$$;

select check_epoch();

-- API keys ------------------------------------------------------------------------------------------------------------

create table api_key (
	id text collate "C" primary key check (id ~ '^[0-9A-Za-z]{8}$'),
	name text collate "C" not null check (char_length(name) between 1 and 300),
	scope text collate "C" not null check (scope in ('read', 'write', 'admin')),
	sha256 bytea not null check (octet_length(sha256) = 32),
	created_at timestamptz not null default clock_timestamp(),
	revoked_at timestamptz
);

-- The advisory lock that stands for a key: writes hold it shared, a revocation exclusively.
create function api_key_lock(key_id text) returns bigint
language sql immutable
as $$ select hashtextextended('lodebase api key ' || key_id, 0) $$;

-- Revokes a key once no write of its is under way: 'revoked', 'unknown' or 'already'.
create function revoke_key(key_id text) returns text
language plpgsql volatile
as $$
declare
	was timestamptz;
begin
	perform pg_advisory_xact_lock(lodebase.api_key_lock(key_id));
	select k.revoked_at into was from lodebase.api_key k where k.id = key_id for update;
	if not found then
		return 'unknown';
	elsif was is not null then
		return 'already';
	end if;
	update lodebase.api_key k set revoked_at = clock_timestamp() where k.id = key_id;
	return 'revoked';
end
$$;

-- Idempotency-Key -----------------------------------------------------------------------------------------------------

-- What a POST with an Idempotency-Key was answered, for 24 hours: of one that created a record which version of it, else the
-- answer itself. It is written in the transaction of the write that it speaks of.
create table idempotency (
	key_id text collate "C" not null references api_key,
	key text collate "C" not null check (char_length(key) between 1 and 255),
	request bytea not null check (octet_length(request) = 32), -- SHA-256 of method, path with query, and body
	status integer not null check (status between 200 and 499),
	resource text collate "C",
	id uuid,
	version bigint,
	body text collate "C",
	at timestamptz not null default clock_timestamp(),
	primary key (key_id, key),
	check ((id is null) = (resource is null) and (id is null) = (version is null) and (id is null) <> (body is null))
);
create index idempotency_at_idx on idempotency (at);

-- The advisory lock that stands for a key of a client's while its request runs.
create function idempotency_lock(key_id text, key text) returns bigint
language sql immutable
as $$ select hashtextextended('lodebase idempotency ' || key_id || ' ' || key, 0) $$;

-- Before a write with such a key: refuses (LD423) while another request with it runs, and (LD208) where one has ended. Forgets
-- what is older than a day, its own key first.
create function idempotency_begin(key_id text, key text) returns void
language plpgsql volatile
as $$
begin
	if not pg_try_advisory_xact_lock(lodebase.idempotency_lock(key_id, key)) then
		raise exception using errcode = 'LD423', message = 'a request with this key still runs';
	end if;
	delete from lodebase.idempotency i
	where i.key_id = idempotency_begin.key_id and i.key = idempotency_begin.key
		and i.at < clock_timestamp() - interval '24 hours';
	delete from lodebase.idempotency i using (
		select o.key_id, o.key from lodebase.idempotency o where o.at < clock_timestamp() - interval '24 hours'
		order by o.at limit 50 for update skip locked) old
	where i.key_id = old.key_id and i.key = old.key;
	if exists (select from lodebase.idempotency i where i.key_id = idempotency_begin.key_id and i.key = idempotency_begin.key) then
		raise exception using errcode = 'LD208', message = 'a request with this key has ended';
	end if;
end
$$;

-- The change log ------------------------------------------------------------------------------------------------------

-- One narrow row per version; its body is in the resource's table or in its history, found by (id, version).
create table change (
	epoch integer not null,
	xid xid8 not null,
	seq bigint generated always as identity,
	resource text collate "C" not null,
	id uuid not null,
	version bigint not null,
	action text collate "C" not null check (action in ('created', 'updated', 'deleted')),
	at timestamptz not null,
	actor text collate "C",
	request_id text collate "C",
	primary key (epoch, xid, seq)
);
create index change_resource_idx on change (resource, epoch, xid, seq);
-- Ids are unique within a resource only, so the resource is part of what may not come twice.
create unique index change_version_key on change (id, version, resource);

-- The version that a record created under this id gets: 1, or the number after its deletion.
create function next_version(resource text, id uuid) returns bigint
language sql stable
as $$
	select coalesce(max(c.version), 0) + 1 from lodebase.change c where c.id = next_version.id and c.resource = next_version.resource
$$;

-- The first statement of every write: takes the transaction's id before any stamp is made, says who writes, and checks the key
-- inside the transaction. The lock comes first: the look after it is a statement of its own with a snapshot of its own, so a
-- revocation that has ended is seen, and one that comes later waits for this write.
create function write_begin(actor text, request_id text, key_id text, scope text) returns xid8
language plpgsql volatile
as $$
declare
	scopes constant text[] := '{read,write,admin}';
	has text;
begin
	if current_setting('lode.epoch_checked', true) is distinct from 'yes' then
		perform lodebase.check_epoch(), set_config('lode.epoch_checked', 'yes', false);
	end if;
	perform set_config('lode.actor', coalesce(actor, ''), true), set_config('lode.request', coalesce(request_id, ''), true);
	if key_id is not null then
		perform pg_advisory_xact_lock_shared(lodebase.api_key_lock(key_id));
		select k.scope into has from lodebase.api_key k where k.id = key_id and k.revoked_at is null;
		if not found then
			raise exception using errcode = 'LD401', message = 'the key is unknown or revoked';
		elsif array_position(scopes, has) < array_position(scopes, scope) then
			raise exception using errcode = 'LD403', message = 'the key''s scope does not allow this';
		end if;
	end if;
	return pg_current_xact_id();
end
$$;

-- The last statement of a write that is only tried: everything was checked, nothing stays.
create function dry_run() returns void
language plpgsql volatile
as $$
begin
	raise exception using errcode = 'LD000', message = 'dry run';
end
$$;

-- Resources -----------------------------------------------------------------------------------------------------------

-- The rules of the columns are checked by the service, which can name every fault; the constraints here are the second line.

create function is_slug(t text) returns boolean
language sql immutable
return t ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(t) <= 100
	and (char_length(t) <> 36 or t !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$');

create function is_list(j jsonb) returns boolean
language sql immutable
return jsonb_typeof(j) = 'array' and jsonb_array_length(j) <= 1000;

create function is_percentage(n numeric) returns boolean
language sql immutable
return n between 0 and 100 and scale(n) <= 12;

create function is_amount(n numeric) returns boolean
language sql immutable
return n >= 0 and n < 1000000000000000000 and scale(n) <= 6;

create table shareholder (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	name text collate "C" not null check (char_length(name) between 1 and 300),
	aliases jsonb not null default '[]' check (is_list(aliases)),
	kind text collate "C" not null check (kind in ('company', 'government', 'government_body', 'fund', 'investment_vehicle',
		'joint_venture', 'person', 'unnamed')),
	country text collate "C" check (country ~ '^[A-Z]{2}$'),
	state text collate "C" check (state ~ '^[A-Z]{2}$'),
	lei text collate "C" check (lei ~ '^[0-9A-Z]{18}[0-9]{2}$'),
	isin text collate "C" check (isin ~ '^[A-Z]{2}[0-9A-Z]{9}[0-9]$'),
	identifiers jsonb not null default '[]' check (is_list(identifiers)),
	website text collate "C" check (website ~* '^https?://' and char_length(website) <= 2000),
	description text collate "C" check (char_length(description) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch()
);
create index shareholder_created_at_idx on shareholder (created_at, id);
create index shareholder_name_idx on shareholder (name, id);
create index shareholder_kind_idx on shareholder (kind, id);
create index shareholder_country_idx on shareholder (country, id);
create index shareholder_state_idx on shareholder (state, id);
create index shareholder_lei_idx on shareholder (lei, id);
create index shareholder_isin_idx on shareholder (isin, id);

create table shareholder_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	name text collate "C",
	aliases jsonb,
	kind text collate "C",
	country text collate "C",
	state text collate "C",
	lei text collate "C",
	isin text collate "C",
	identifiers jsonb,
	website text collate "C",
	description text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index shareholder_past_known_to_idx on shareholder_past (known_to);
create index shareholder_past_to_xid_idx on shareholder_past (to_xid);
create index shareholder_past_slug_idx on shareholder_past (slug, known_to);

create table project (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	name text collate "C" not null check (char_length(name) between 1 and 300),
	kind text collate "C" not null check (kind in ('mine', 'concentrator', 'smelter', 'refinery', 'separation', 'chemical',
		'recycling', 'magnet', 'other')),
	status text collate "C" not null check (status in ('proposed', 'announced', 'approved', 'permitting', 'construction',
		'commissioning', 'operating', 'suspended', 'cancelled', 'closed')),
	country text collate "C" check (country ~ '^[A-Z]{2}$'),
	region text collate "C" check (char_length(region) between 1 and 300),
	place text collate "C" check (char_length(place) between 1 and 300),
	latitude numeric check (latitude between -90 and 90 and scale(latitude) <= 6),
	longitude numeric check (longitude between -180 and 180 and scale(longitude) <= 6),
	operator_id uuid references shareholder,
	company_id uuid references shareholder,
	capex_amount numeric check (is_amount(capex_amount)),
	capex_currency text collate "C" check (capex_currency ~ '^[A-Z]{3}$'),
	start_year bigint check (start_year between 1000 and 2999),
	description text collate "C" check (char_length(description) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check ((latitude is null) = (longitude is null)),
	check ((capex_amount is null) = (capex_currency is null))
);
create index project_created_at_idx on project (created_at, id);
create index project_name_idx on project (name, id);
create index project_kind_idx on project (kind, id);
create index project_status_idx on project (status, id);
create index project_country_idx on project (country, id);
create index project_operator_id_idx on project (operator_id, id);
create index project_company_id_idx on project (company_id, id);
create index project_capex_amount_idx on project (capex_amount, id);
create index project_start_year_idx on project (start_year, id);

create table project_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	name text collate "C",
	kind text collate "C",
	status text collate "C",
	country text collate "C",
	region text collate "C",
	place text collate "C",
	latitude numeric,
	longitude numeric,
	operator_id uuid,
	company_id uuid,
	capex_amount numeric,
	capex_currency text collate "C",
	start_year bigint,
	description text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index project_past_known_to_idx on project_past (known_to);
create index project_past_to_xid_idx on project_past (to_xid);
create index project_past_slug_idx on project_past (slug, known_to);

create table stake (
	id uuid primary key,
	slug text collate "C" unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	holder_id uuid not null references shareholder,
	issuer_id uuid references shareholder,
	project_id uuid references project,
	instrument text collate "C" not null check (instrument in ('common_equity', 'preferred_equity', 'convertible', 'warrant',
		'option', 'units', 'other_equity', 'voting_agreement')),
	stage text collate "C" not null check (stage in ('rumoured', 'expected', 'loi', 'approved', 'closed', 'lapsed',
		'terminated')),
	economic_pct numeric check (is_percentage(economic_pct)),
	economic_min_pct numeric check (is_percentage(economic_min_pct)),
	economic_max_pct numeric check (is_percentage(economic_max_pct)),
	shares_held bigint check (shares_held >= 0),
	shares_issued bigint check (shares_issued >= 1),
	voting_pct numeric check (is_percentage(voting_pct)),
	voting_min_pct numeric check (is_percentage(voting_min_pct)),
	voting_max_pct numeric check (is_percentage(voting_max_pct)),
	contingent boolean not null default false,
	trigger_kind text collate "C" not null default 'none' check (trigger_kind in ('none', 'date', 'event', 'threshold')),
	trigger text collate "C" check (char_length(trigger) between 1 and 2000),
	dilutive boolean not null default false,
	counterparty_id uuid references shareholder,
	valid_from date check (valid_from between '1000-01-01' and '2999-12-31'),
	valid_to date check (valid_to between '1000-01-01' and '2999-12-31'),
	amount numeric check (is_amount(amount)),
	currency text collate "C" check (currency ~ '^[A-Z]{3}$'),
	note text collate "C" check (char_length(note) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check (num_nonnulls(issuer_id, project_id) = 1),
	check ((shares_held is null) = (shares_issued is null)),
	check (shares_held <= shares_issued),
	check (shares_held is null or economic_pct is not null), -- derived from the shares, rounded
	check (economic_pct is null or (economic_min_pct is null and economic_max_pct is null)),
	check (economic_min_pct <= economic_max_pct),
	check (voting_pct is null or (voting_min_pct is null and voting_max_pct is null)),
	check (voting_min_pct <= voting_max_pct),
	check (valid_to > valid_from),
	check ((amount is null) = (currency is null))
);
create index stake_created_at_idx on stake (created_at, id);
create index stake_holder_id_idx on stake (holder_id, id);
-- Where most are null, only the others are in the index: writing is dearer than finding one of the many.
create index stake_issuer_id_idx on stake (issuer_id, id) where issuer_id is not null;
create index stake_project_id_idx on stake (project_id, id) where project_id is not null;
create index stake_counterparty_id_idx on stake (counterparty_id, id) where counterparty_id is not null;
create index stake_instrument_idx on stake (instrument, id);
create index stake_stage_idx on stake (stage, id);
create index stake_valid_from_idx on stake (valid_from, id);
create index stake_valid_to_idx on stake (valid_to, id) where valid_to is not null;
create index stake_economic_pct_idx on stake (economic_pct, id);

create table stake_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	holder_id uuid,
	issuer_id uuid,
	project_id uuid,
	instrument text collate "C",
	stage text collate "C",
	economic_pct numeric,
	economic_min_pct numeric,
	economic_max_pct numeric,
	shares_held bigint,
	shares_issued bigint,
	voting_pct numeric,
	voting_min_pct numeric,
	voting_max_pct numeric,
	contingent boolean,
	trigger_kind text collate "C",
	trigger text collate "C",
	dilutive boolean,
	counterparty_id uuid,
	valid_from date,
	valid_to date,
	amount numeric,
	currency text collate "C",
	note text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index stake_past_known_to_idx on stake_past (known_to);
create index stake_past_to_xid_idx on stake_past (to_xid);
create index stake_past_slug_idx on stake_past (slug, known_to);

-- The 100 % rule ------------------------------------------------------------------------------------------------------

-- A stake counts where it is closed and not contingent. It counts with its exact share: the fraction of its shares, else its
-- percentage, else the minimum of its range.

-- One subject whose stakes may come to more than 100 %, exactly and in time: running sums over the days on which stakes begin
-- and end (on one day the ends count first, because intervals are half-open). Everything is counted in units of 1/unit of a
-- per cent, where unit is the common multiple of all share counts, because division of numerics is not exact. Where there are
-- too many different share counts for that, fractions are rounded up at the 60th decimal.
create function check_subject_allocation(resource text, subject uuid) returns void
language plpgsql volatile
set search_path = lodebase, pg_temp
as $$
declare
	counted stake[];
	unit numeric := 1;
	exact boolean := true;
	n integer := 0;
	issued numeric;
	day date;
	total numeric;
	about json;
	holders json;
begin
	if resource = 'shareholders' then
		select array_agg(s) into counted from stake s where s.issuer_id = subject and s.stage = 'closed' and not s.contingent;
	else
		select array_agg(s) into counted from stake s where s.project_id = subject and s.stage = 'closed' and not s.contingent;
	end if;

	for issued in select distinct s.shares_issued / gcd(s.shares_held, s.shares_issued) from unnest(counted) s where s.shares_held > 0
	loop
		n := n + 1;
		if n > 400 then
			unit := 1e60;
			exact := false;
			exit;
		end if;
		unit := lcm(unit, issued);
	end loop;

	with part as (
		select s.valid_from, s.valid_to,
			case when s.shares_held is null then coalesce(s.economic_pct, s.economic_min_pct) * unit
			when exact then 100 * div(s.shares_held * unit, s.shares_issued)
			else 100 * div(s.shares_held * unit + s.shares_issued - 1, s.shares_issued) end as units
		from unnest(counted) s
		where coalesce(s.shares_held, s.economic_pct, s.economic_min_pct) > 0
	), event as (
		select coalesce(p.valid_from, '-infinity') as on_day, p.units from part p
		union all
		select p.valid_to, -p.units from part p where p.valid_to is not null
	), running as (
		select e.on_day, sum(e.units) over (order by e.on_day) as units from event e
	)
	select r.on_day, r.units into day, total from running r where r.units > 100 * unit order by r.on_day limit 1;
	if not found then
		return;
	end if;

	-- Half up to 12 decimals in whole numbers: total / unit = (2e12 total + unit) / 2 unit, cut, e-12. What is more than 100 by
	-- less than that is still told as more than 100.
	total := greatest(trim_scale(div(2000000000000 * total + unit, 2 * unit) * 0.000000000001), 100.000000000001);
	select json_build_object('resource', resource, 'id', subject, 'slug', t.slug, 'name', t.name) into about
	from (select h.slug, h.name from shareholder h where resource = 'shareholders' and h.id = subject
		union all select p.slug, p.name from project p where resource = 'projects' and p.id = subject) t;
	select json_agg(json_build_object('id', t.id, 'slug', t.slug,
		'holder', json_build_object('id', t.holder_id, 'slug', t.holder_slug, 'name', t.holder_name), 'economic_pct', t.pct))
	into holders
	from (
		select s.id, s.slug, s.holder_id, h.slug as holder_slug, h.name as holder_name,
			trim_scale(coalesce(s.economic_pct, s.economic_min_pct)) as pct
		from unnest(counted) s
		join shareholder h on h.id = s.holder_id
		where coalesce(s.shares_held, s.economic_pct, s.economic_min_pct) > 0
			and coalesce(s.valid_from, '-infinity') <= day and coalesce(s.valid_to, 'infinity') > day
		order by coalesce(s.economic_pct, s.economic_min_pct) desc, s.id
		limit 1000
	) t;
	raise exception using errcode = 'LD409', message = 'more than 100 % of one subject',
		detail = json_build_object('subject', about, 'at', nullif(day, '-infinity'), 'total_pct', total, 'stakes', holders);
end
$$;

-- The subjects given, after a statement. They are locked in one fixed order, shareholders before projects, each by id; only
-- then is looked, by statements of their own, whose snapshots hold what other writers committed before they let the lock go.
-- Under any isolation but READ COMMITTED the snapshot would be older than the lock, so those are refused. FOR NO KEY UPDATE
-- does not get in the way of the foreign keys' own locks. A cheap bound decides for nearly all. The settings keep one plan per
-- session, by the indexes, whatever size the table had when it was made.
create function check_allocation(issuers uuid[], sites uuid[]) returns void
language plpgsql volatile
set search_path = lodebase, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
	subject uuid;
begin
	if issuers is null and sites is null then
		return;
	end if;
	if current_setting('transaction_isolation') <> 'read committed' then
		raise exception using errcode = 'active_sql_transaction', message = 'stakes are written under read committed only';
	end if;
	if issuers is not null then
		perform from shareholder h where h.id = any (issuers) order by h.id for no key update;
	end if;
	if sites is not null then
		perform from project p where p.id = any (sites) order by p.id for no key update;
	end if;
	if issuers is not null then
		for subject in
			select s.issuer_id from stake s
			where s.issuer_id = any (issuers) and s.stage = 'closed' and not s.contingent
			group by s.issuer_id
			having sum(case when s.shares_held is null then coalesce(s.economic_pct, s.economic_min_pct)
				else div(s.shares_held * 100000000000000.0 + s.shares_issued - 1, s.shares_issued) * 0.000000000001 end) > 100
			order by s.issuer_id
		loop
			perform check_subject_allocation('shareholders', subject);
		end loop;
	end if;
	if sites is not null then
		for subject in
			select s.project_id from stake s
			where s.project_id = any (sites) and s.stage = 'closed' and not s.contingent
			group by s.project_id
			having sum(case when s.shares_held is null then coalesce(s.economic_pct, s.economic_min_pct)
				else div(s.shares_held * 100000000000000.0 + s.shares_issued - 1, s.shares_issued) * 0.000000000001 end) > 100
			order by s.project_id
		loop
			perform check_subject_allocation('projects', subject);
		end loop;
	end if;
end
$$;

create function stake_allocation_insert() returns trigger
language plpgsql
set search_path = lodebase, pg_temp
as $$
begin
	perform check_allocation(
		(select array_agg(distinct n.issuer_id) from new_rows n
			where n.issuer_id is not null and n.stage = 'closed' and not n.contingent),
		(select array_agg(distinct n.project_id) from new_rows n
			where n.project_id is not null and n.stage = 'closed' and not n.contingent));
	return null;
end
$$;

-- Only a stake whose share, time or subject moved can take a subject above its limit. The plan made for one row is kept and must
-- not become a nested loop over the thousands of an import.
create function stake_allocation_update() returns trigger
language plpgsql
set search_path = lodebase, pg_temp
set enable_nestloop = off
as $$
declare
	issuers uuid[];
	sites uuid[];
begin
	select array_agg(distinct n.issuer_id) filter (where n.issuer_id is not null),
		array_agg(distinct n.project_id) filter (where n.project_id is not null)
	into issuers, sites
	from new_rows n join old_rows o on o.id = n.id
	where n.stage = 'closed' and not n.contingent
		and (n.issuer_id, n.project_id, n.stage, n.contingent, n.economic_pct, n.economic_min_pct, n.shares_held, n.shares_issued,
			n.valid_from, n.valid_to)
		is distinct from (o.issuer_id, o.project_id, o.stage, o.contingent, o.economic_pct, o.economic_min_pct, o.shares_held,
			o.shares_issued, o.valid_from, o.valid_to);
	perform check_allocation(issuers, sites);
	return null;
end
$$;

create trigger stake_allocation_insert after insert on stake
referencing new table as new_rows
for each statement execute function stake_allocation_insert();

create trigger stake_allocation_update after update on stake
referencing old table as old_rows new table as new_rows
for each statement execute function stake_allocation_update();

-- Roles ---------------------------------------------------------------------------------------------------------------

-- Whether the role that asks could rewrite history or the schema: it must own nothing here and may change neither the log nor
-- the past. A superuser may everything.
create function history_protected() returns boolean
language sql stable
as $$
	select not has_schema_privilege('lodebase', 'create') and not exists (
		select from pg_catalog.pg_class c
		where c.relnamespace = 'lodebase'::regnamespace and c.relkind in ('r', 'p')
			and (pg_has_role(c.relowner, 'usage')
				or (c.relname in ('change', 'epoch', 'setting', 'migration') or c.relname like '%\_past')
				and has_table_privilege(c.oid, 'insert, update, delete, truncate, trigger')))
$$;

-- Makes the service's role where it is missing and this account may, and gives it what it needs. Run by every migration run,
-- as the owner. Roles belong to the whole cluster, and two bases may migrate at once: whoever comes second finds the role
-- there. Returns whether the role exists.
create function grant_service() returns boolean
language plpgsql volatile
set search_path = lodebase, pg_temp
as $$
declare
	service constant text := 'lodebase_service';
	t record;
	wanted text;
	needed text;
begin
	if not exists (select from pg_roles where rolname = service) then
		begin
			create role lodebase_service nologin;
		exception
			when duplicate_object or unique_violation then null;
			when insufficient_privilege then return false;
		end;
	end if;
	-- The account itself starts its sessions in this role where there is only one account.
	if not pg_has_role(service, 'member') then
		begin
			execute format('grant %I to %I', service, current_user);
		exception
			when duplicate_object or unique_violation or insufficient_privilege then null;
		end;
	end if;
	if not has_schema_privilege(service, 'lodebase', 'usage') then
		execute format('grant usage on schema lodebase to %I', service);
	end if;
	-- Imports wait in temporary tables.
	if not has_database_privilege(service, current_database(), 'temporary') then
		begin
			execute format('grant temporary on database %I to %I', current_database(), service);
		exception
			when insufficient_privilege then null;
		end;
	end if;
	for t in
		select c.oid, c.relname, c.relname in ('api_key', 'idempotency') or to_regclass('lodebase.' || quote_ident(c.relname || '_past')) is not null
			as writable
		from pg_class c
		where c.relnamespace = 'lodebase'::regnamespace and c.relkind = 'r'
	loop
		wanted := '';
		foreach needed in array case when t.writable then '{select,insert,update,delete}'::text[] else '{select}' end loop
			if not has_table_privilege(service, t.oid, needed) then
				wanted := concat_ws(', ', nullif(wanted, ''), needed);
			end if;
		end loop;
		if wanted <> '' then
			execute format('grant %s on %I to %I', wanted, t.relname, service);
		end if;
	end loop;
	return true;
end
$$;
revoke all on function grant_service() from public;
