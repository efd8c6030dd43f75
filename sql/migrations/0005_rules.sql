-- Rules: thresholds of ownership that laws set, and benchmarks of supply, with the method and the measures that each is asked by.
-- `lists` names lists of designations as text, by slug or id: nothing forbids to delete one.

-- Whether a list is one of some words only.
create function is_list_of(j jsonb, words text[]) returns boolean
language sql immutable
return jsonb_typeof(j) = 'array' and jsonb_array_length(j) > 0 and j <@ to_jsonb(words);

create table rule (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	title text collate "C" not null check (char_length(title) between 1 and 300),
	threshold_pct numeric not null check (is_percentage(threshold_pct)),
	comparator text collate "C" not null check (comparator in ('>=', '>')),
	measures jsonb not null check (
		is_list_of(measures, '{economic,voting,board,debt}')
		or measures in ('["single_country_share"]', '["coverage"]')
	),
	aggregation text collate "C" not null check (aggregation in ('single', 'any_combination')),
	method text collate "C" check (method in ('direct', 'integrated', 'simple_paths', 'weakest_link', 'control', 'cascade',
		'attribution')),
	tier text collate "C" check (tier in ('promote_lower', 'single_entity')),
	contingent text collate "C" check (contingent in ('ignore', 'exercised')),
	lists jsonb not null default '[]' check (is_list(lists)),
	effective_from date check (effective_from between '1000-01-01' and '2999-12-31'),
	effective_to date check (effective_to between '1000-01-01' and '2999-12-31'),
	source_id uuid references source,
	source_url text collate "C" check (source_url ~* '^https?://' and char_length(source_url) <= 2000),
	note text collate "C" check (char_length(note) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check ((method is null) = (measures in ('["single_country_share"]', '["coverage"]'))),
	check ((tier is not null) = (method is not distinct from 'attribution')),
	check (contingent is null or method is not null)
);
create index rule_created_at_idx on rule (created_at, id);
create index rule_title_idx on rule (title, id);
create index rule_threshold_pct_idx on rule (threshold_pct, id);
create index rule_method_idx on rule (method, id);
create index rule_effective_from_idx on rule (effective_from, id);
create index rule_effective_to_idx on rule (effective_to, id);
create index rule_source_id_idx on rule (source_id, id) where source_id is not null;

create table rule_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	title text collate "C",
	threshold_pct numeric,
	comparator text collate "C",
	measures jsonb,
	aggregation text collate "C",
	method text collate "C",
	tier text collate "C",
	contingent text collate "C",
	lists jsonb,
	effective_from date,
	effective_to date,
	source_id uuid,
	source_url text collate "C",
	note text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index rule_past_known_to_idx on rule_past (known_to);
create index rule_past_to_xid_idx on rule_past (to_xid);
create index rule_past_slug_idx on rule_past (slug, known_to);
