-- The rest of the knowledge base: alliances and who is in them, minerals, lists of them, what plants make of them and are fed
-- with, figures of supply, financings, decisions, designations, sources and what they claim; and the financing of a stake. As
-- in 0001 the checks are the second line behind the service, and triggers are composed from the field tables: also those that
-- keep subjects, which can be of several resources, from going away (there is no foreign key for that).

create table source (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	title text collate "C" not null check (char_length(title) between 1 and 300),
	publisher text collate "C" check (char_length(publisher) between 1 and 300),
	url text collate "C" check (url ~* '^https?://' and char_length(url) <= 2000),
	published_on date check (published_on between '1000-01-01' and '2999-12-31'),
	retrieved_on date check (retrieved_on between '1000-01-01' and '2999-12-31'),
	language text collate "C" check (char_length(language) between 1 and 300),
	kind text collate "C" not null check (kind in ('press', 'release', 'filing', 'law', 'statistics', 'dataset',
		'ruling', 'other')),
	reliability text collate "C" not null check (reliability in ('A', 'B', 'C', 'D', 'E', 'F')),
	note text collate "C" check (char_length(note) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch()
);
create index source_created_at_idx on source (created_at, id);
create index source_title_idx on source (title, id);
create index source_publisher_idx on source (publisher, id);
create index source_published_on_idx on source (published_on, id);
create index source_language_idx on source (language, id);
create index source_kind_idx on source (kind, id);
create index source_reliability_idx on source (reliability, id);

create table source_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	title text collate "C",
	publisher text collate "C",
	url text collate "C",
	published_on date,
	retrieved_on date,
	language text collate "C",
	kind text collate "C",
	reliability text collate "C",
	note text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index source_past_known_to_idx on source_past (known_to);
create index source_past_to_xid_idx on source_past (to_xid);
create index source_past_slug_idx on source_past (slug, known_to);

create table alliance (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	name text collate "C" not null check (char_length(name) between 1 and 300),
	aliases jsonb not null default '[]' check (is_list(aliases)),
	kind text collate "C" not null check (kind in ('multilateral', 'bilateral', 'framework', 'consortium', 'other')),
	founded_on date check (founded_on between '1000-01-01' and '2999-12-31'),
	ended_on date check (ended_on between '1000-01-01' and '2999-12-31'),
	predecessor_id uuid references alliance,
	description text collate "C" check (char_length(description) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check (ended_on >= founded_on)
);
create index alliance_created_at_idx on alliance (created_at, id);
create index alliance_name_idx on alliance (name, id);
create index alliance_kind_idx on alliance (kind, id);
create index alliance_founded_on_idx on alliance (founded_on, id);
create index alliance_ended_on_idx on alliance (ended_on, id);
create index alliance_predecessor_id_idx on alliance (predecessor_id, id) where predecessor_id is not null;

create table alliance_past (
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
	founded_on date,
	ended_on date,
	predecessor_id uuid,
	description text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index alliance_past_known_to_idx on alliance_past (known_to);
create index alliance_past_to_xid_idx on alliance_past (to_xid);
create index alliance_past_slug_idx on alliance_past (slug, known_to);

create table membership (
	id uuid primary key,
	slug text collate "C" unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	alliance_id uuid not null references alliance,
	country text collate "C" check (country ~ '^[A-Z]{2}$'),
	shareholder_id uuid references shareholder,
	project_id uuid references project,
	role text collate "C" not null check (role in ('member', 'chair', 'observer', 'secretariat')),
	valid_from date check (valid_from between '1000-01-01' and '2999-12-31'),
	valid_to date check (valid_to between '1000-01-01' and '2999-12-31'),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check (num_nonnulls(country, shareholder_id, project_id) = 1),
	check (valid_to > valid_from)
);
create index membership_created_at_idx on membership (created_at, id);
create index membership_alliance_id_idx on membership (alliance_id, id);
create index membership_country_idx on membership (country, id);
create index membership_shareholder_id_idx on membership (shareholder_id, id) where shareholder_id is not null;
create index membership_project_id_idx on membership (project_id, id) where project_id is not null;
create index membership_role_idx on membership (role, id);
create index membership_valid_from_idx on membership (valid_from, id);
create index membership_valid_to_idx on membership (valid_to, id);

create table membership_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	alliance_id uuid,
	country text collate "C",
	shareholder_id uuid,
	project_id uuid,
	role text collate "C",
	valid_from date,
	valid_to date,
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index membership_past_known_to_idx on membership_past (known_to);
create index membership_past_to_xid_idx on membership_past (to_xid);
create index membership_past_slug_idx on membership_past (slug, known_to);

create table mineral (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	name text collate "C" not null check (char_length(name) between 1 and 300),
	symbols jsonb not null default '[]' check (is_list(symbols)),
	kind text collate "C" not null check (kind in ('element', 'group', 'compound', 'aggregate')),
	aliases jsonb not null default '[]' check (is_list(aliases)),
	hs_codes jsonb not null default '[]' check (is_list(hs_codes)),
	description text collate "C" check (char_length(description) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch()
);
create index mineral_created_at_idx on mineral (created_at, id);
create index mineral_name_idx on mineral (name, id);
create index mineral_kind_idx on mineral (kind, id);

create table mineral_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	name text collate "C",
	symbols jsonb,
	kind text collate "C",
	aliases jsonb,
	hs_codes jsonb,
	description text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index mineral_past_known_to_idx on mineral_past (known_to);
create index mineral_past_to_xid_idx on mineral_past (to_xid);
create index mineral_past_slug_idx on mineral_past (slug, known_to);

create table mineral_list (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	name text collate "C" not null check (char_length(name) between 1 and 300),
	issuer text collate "C" check (char_length(issuer) between 1 and 300),
	edition text collate "C" check (char_length(edition) between 1 and 300),
	published_on date check (published_on between '1000-01-01' and '2999-12-31'),
	source_id uuid references source,
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch()
);
create index mineral_list_created_at_idx on mineral_list (created_at, id);
create index mineral_list_name_idx on mineral_list (name, id);
create index mineral_list_issuer_idx on mineral_list (issuer, id);
create index mineral_list_published_on_idx on mineral_list (published_on, id);
create index mineral_list_source_id_idx on mineral_list (source_id, id) where source_id is not null;

create table mineral_list_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	name text collate "C",
	issuer text collate "C",
	edition text collate "C",
	published_on date,
	source_id uuid,
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index mineral_list_past_known_to_idx on mineral_list_past (known_to);
create index mineral_list_past_to_xid_idx on mineral_list_past (to_xid);
create index mineral_list_past_slug_idx on mineral_list_past (slug, known_to);

create table listing (
	id uuid primary key,
	slug text collate "C" unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	list_id uuid not null references mineral_list,
	mineral_id uuid not null references mineral,
	valid_from date check (valid_from between '1000-01-01' and '2999-12-31'),
	valid_to date check (valid_to between '1000-01-01' and '2999-12-31'),
	note text collate "C" check (char_length(note) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check (valid_to > valid_from)
);
create index listing_created_at_idx on listing (created_at, id);
create index listing_list_id_idx on listing (list_id, id);
create index listing_mineral_id_idx on listing (mineral_id, id);
create index listing_valid_from_idx on listing (valid_from, id);
create index listing_valid_to_idx on listing (valid_to, id);

create table listing_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	list_id uuid,
	mineral_id uuid,
	valid_from date,
	valid_to date,
	note text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index listing_past_known_to_idx on listing_past (known_to);
create index listing_past_to_xid_idx on listing_past (to_xid);
create index listing_past_slug_idx on listing_past (slug, known_to);

create table output (
	id uuid primary key,
	slug text collate "C" unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	project_id uuid not null references project,
	mineral_id uuid not null references mineral,
	stage text collate "C" not null check (stage in ('mine', 'concentrate', 'smelter', 'refinery', 'separation',
		'product', 'recycling')),
	product text collate "C" check (char_length(product) between 1 and 20000),
	capacity numeric check (is_amount(capacity)),
	capacity_min numeric check (is_amount(capacity_min)),
	capacity_max numeric check (is_amount(capacity_max)),
	unit text collate "C" not null check (unit in ('t', 'kt', 'kg', 'toz')),
	basis text collate "C" not null check (basis in ('contained', 'gross')),
	start_year bigint check (start_year between 1000 and 2999),
	end_year bigint check (end_year between 1000 and 2999),
	status text collate "C" check (status in ('proposed', 'announced', 'approved', 'permitting', 'construction',
		'commissioning', 'operating', 'suspended', 'cancelled', 'closed')),
	replaces_output_id uuid references output,
	note text collate "C" check (char_length(note) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check (capacity is null or (capacity_min is null and capacity_max is null)),
	check ((capacity_min is null) = (capacity_max is null)),
	check (capacity_max >= capacity_min),
	check (end_year >= start_year)
);
create index output_created_at_idx on output (created_at, id);
create index output_project_id_idx on output (project_id, id);
create index output_mineral_id_idx on output (mineral_id, id);
create index output_stage_idx on output (stage, id);
create index output_start_year_idx on output (start_year, id);
create index output_end_year_idx on output (end_year, id);
create index output_status_idx on output (status, id);
create index output_replaces_output_id_idx on output (replaces_output_id, id) where replaces_output_id is not null;

create table output_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	project_id uuid,
	mineral_id uuid,
	stage text collate "C",
	product text collate "C",
	capacity numeric,
	capacity_min numeric,
	capacity_max numeric,
	unit text collate "C",
	basis text collate "C",
	start_year bigint,
	end_year bigint,
	status text collate "C",
	replaces_output_id uuid,
	note text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index output_past_known_to_idx on output_past (known_to);
create index output_past_to_xid_idx on output_past (to_xid);
create index output_past_slug_idx on output_past (slug, known_to);

create table feed (
	id uuid primary key,
	slug text collate "C" unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	output_id uuid not null references output,
	mineral_id uuid not null references mineral,
	stage text collate "C" not null check (stage in ('mine', 'concentrate', 'smelter', 'refinery', 'separation',
		'product', 'recycling')),
	country text collate "C" check (country ~ '^[A-Z]{2}$'),
	pct numeric check (is_percentage(pct)),
	note text collate "C" check (char_length(note) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch()
);
create index feed_created_at_idx on feed (created_at, id);
create index feed_output_id_idx on feed (output_id, id);
create index feed_mineral_id_idx on feed (mineral_id, id);
create index feed_stage_idx on feed (stage, id);
create index feed_country_idx on feed (country, id);

create table feed_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	output_id uuid,
	mineral_id uuid,
	stage text collate "C",
	country text collate "C",
	pct numeric,
	note text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index feed_past_known_to_idx on feed_past (known_to);
create index feed_past_to_xid_idx on feed_past (to_xid);
create index feed_past_slug_idx on feed_past (slug, known_to);

create table supply_figure (
	id uuid primary key,
	slug text collate "C" unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	mineral_id uuid not null references mineral,
	stage text collate "C" not null check (stage in ('mine', 'concentrate', 'smelter', 'refinery', 'separation',
		'product', 'recycling')),
	kind text collate "C" not null check (kind in ('production', 'capacity', 'reserves', 'imports', 'import_share',
		'exports', 'stock_change', 'consumption', 'secondary',
		'net_import_reliance')),
	scope text collate "C" not null check (scope in ('country', 'other', 'world')),
	country text collate "C" check (country ~ '^[A-Z]{2}$'),
	partner text collate "C" check (partner ~ '^[A-Z]{2}$'),
	product text collate "C" check (char_length(product) between 1 and 20000),
	year bigint check (year between 1000 and 2999),
	period_from bigint check (period_from between 1000 and 2999),
	quantity numeric check (is_amount(abs(quantity))),
	unit text collate "C" not null check (unit in ('t', 'kt', 'kg', 'toz', 'pct')),
	basis text collate "C" not null check (basis in ('contained', 'gross')),
	qualifier text collate "C" not null check (qualifier in ('exact', 'estimated', 'withheld', 'not_available', 'net_exporter',
		'greater_than', 'less_than', 'zero')),
	excludes jsonb not null default '[]' check (is_list(excludes)),
	definition text collate "C" check (definition in ('apparent', 'reported', 'estimated')),
	source_id uuid not null references source,
	note text collate "C" check (char_length(note) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check ((country is not null) = (scope = 'country')),
	check (partner is null or kind in ('imports', 'import_share', 'exports')),
	check (excludes = '[]' or scope = 'world'),
	check ((unit = 'pct') = (kind in ('net_import_reliance', 'import_share'))),
	check ((definition is not null) = (kind = 'net_import_reliance')),
	check ((quantity is not null) = (qualifier in ('exact', 'estimated', 'greater_than', 'less_than', 'zero'))),
	check (qualifier <> 'zero' or quantity = 0),
	check (quantity >= 0 or kind = 'stock_change')
);
create index supply_figure_created_at_idx on supply_figure (created_at, id);
create index supply_figure_mineral_id_idx on supply_figure (mineral_id, id);
create index supply_figure_stage_idx on supply_figure (stage, id);
create index supply_figure_kind_idx on supply_figure (kind, id);
create index supply_figure_scope_idx on supply_figure (scope, id);
create index supply_figure_country_idx on supply_figure (country, id);
create index supply_figure_partner_idx on supply_figure (partner, id);
create index supply_figure_year_idx on supply_figure (year, id);
create index supply_figure_quantity_idx on supply_figure (quantity, id);
create index supply_figure_unit_idx on supply_figure (unit, id);
create index supply_figure_basis_idx on supply_figure (basis, id);
create index supply_figure_qualifier_idx on supply_figure (qualifier, id);
create index supply_figure_definition_idx on supply_figure (definition, id);
create index supply_figure_source_id_idx on supply_figure (source_id, id);

create table supply_figure_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	mineral_id uuid,
	stage text collate "C",
	kind text collate "C",
	scope text collate "C",
	country text collate "C",
	partner text collate "C",
	product text collate "C",
	year bigint,
	period_from bigint,
	quantity numeric,
	unit text collate "C",
	basis text collate "C",
	qualifier text collate "C",
	excludes jsonb,
	definition text collate "C",
	source_id uuid,
	note text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index supply_figure_past_known_to_idx on supply_figure_past (known_to);
create index supply_figure_past_to_xid_idx on supply_figure_past (to_xid);
create index supply_figure_past_slug_idx on supply_figure_past (slug, known_to);

create table financing (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	name text collate "C" not null check (char_length(name) between 1 and 300),
	project_id uuid references project,
	shareholder_id uuid references shareholder,
	track text collate "C" not null check (track in ('direct_government_investment', 'joint_venture_equity', 'loan',
		'guarantee', 'grant', 'tax_credit', 'offtake_prepayment',
		'price_floor', 'convertible_note', 'private_placement', 'other')),
	status text collate "C" not null check (status in ('proposed', 'announced', 'approved', 'committed', 'closed', 'drawn',
		'repaid', 'defaulted', 'terminated')),
	amount numeric check (is_amount(amount)),
	currency text collate "C" check (currency ~ '^[A-Z]{3}$'),
	announced_on date check (announced_on between '1000-01-01' and '2999-12-31'),
	closed_on date check (closed_on between '1000-01-01' and '2999-12-31'),
	terms text collate "C" check (char_length(terms) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check (num_nonnulls(project_id, shareholder_id) = 1),
	check ((amount is null) = (currency is null))
);
create index financing_created_at_idx on financing (created_at, id);
create index financing_name_idx on financing (name, id);
create index financing_project_id_idx on financing (project_id, id) where project_id is not null;
create index financing_shareholder_id_idx on financing (shareholder_id, id) where shareholder_id is not null;
create index financing_track_idx on financing (track, id);
create index financing_status_idx on financing (status, id);
create index financing_announced_on_idx on financing (announced_on, id);
create index financing_closed_on_idx on financing (closed_on, id);

create table financing_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	name text collate "C",
	project_id uuid,
	shareholder_id uuid,
	track text collate "C",
	status text collate "C",
	amount numeric,
	currency text collate "C",
	announced_on date,
	closed_on date,
	terms text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index financing_past_known_to_idx on financing_past (known_to);
create index financing_past_to_xid_idx on financing_past (to_xid);
create index financing_past_slug_idx on financing_past (slug, known_to);

create table financing_party (
	id uuid primary key,
	slug text collate "C" unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	financing_id uuid not null references financing,
	shareholder_id uuid not null references shareholder,
	role text collate "C" not null check (role in ('investor', 'lender', 'borrower', 'guarantor', 'grantor', 'offtaker',
		'arranger', 'issuer')),
	amount numeric check (is_amount(amount)),
	currency text collate "C" check (currency ~ '^[A-Z]{3}$'),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check ((amount is null) = (currency is null))
);
create index financing_party_created_at_idx on financing_party (created_at, id);
create index financing_party_financing_id_idx on financing_party (financing_id, id);
create index financing_party_shareholder_id_idx on financing_party (shareholder_id, id);
create index financing_party_role_idx on financing_party (role, id);

create table financing_party_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	financing_id uuid,
	shareholder_id uuid,
	role text collate "C",
	amount numeric,
	currency text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index financing_party_past_known_to_idx on financing_party_past (known_to);
create index financing_party_past_to_xid_idx on financing_party_past (to_xid);
create index financing_party_past_slug_idx on financing_party_past (slug, known_to);

create table decision (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	title text collate "C" not null check (char_length(title) between 1 and 300),
	decider_id uuid references shareholder,
	body text collate "C" not null check (body in ('board', 'general_meeting', 'court', 'agency', 'government', 'other')),
	subject_resource text collate "C" not null check (subject_resource in ('projects', 'stakes', 'financings',
		'shareholders', 'decisions')),
	subject_id uuid not null,
	scheduled_on date check (scheduled_on between '1000-01-01' and '2999-12-31'),
	held_on date check (held_on between '1000-01-01' and '2999-12-31'),
	outcome text collate "C" not null check (outcome in ('scheduled', 'approved', 'rejected', 'deferred', 'withdrawn',
		'dismissed', 'upheld', 'overturned')),
	challenges_id uuid references decision,
	summary text collate "C" check (char_length(summary) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch()
);
create index decision_created_at_idx on decision (created_at, id);
create index decision_title_idx on decision (title, id);
create index decision_decider_id_idx on decision (decider_id, id) where decider_id is not null;
create index decision_body_idx on decision (body, id);
create index decision_subject_resource_idx on decision (subject_resource, id);
create index decision_subject_id_idx on decision (subject_id, id);
create index decision_scheduled_on_idx on decision (scheduled_on, id);
create index decision_held_on_idx on decision (held_on, id);
create index decision_outcome_idx on decision (outcome, id);
create index decision_challenges_id_idx on decision (challenges_id, id) where challenges_id is not null;

create table decision_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	title text collate "C",
	decider_id uuid,
	body text collate "C",
	subject_resource text collate "C",
	subject_id uuid,
	scheduled_on date,
	held_on date,
	outcome text collate "C",
	challenges_id uuid,
	summary text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index decision_past_known_to_idx on decision_past (known_to);
create index decision_past_to_xid_idx on decision_past (to_xid);
create index decision_past_slug_idx on decision_past (slug, known_to);

create table designation_list (
	id uuid primary key,
	slug text collate "C" not null unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	name text collate "C" not null check (char_length(name) between 1 and 300),
	issuer text collate "C" check (char_length(issuer) between 1 and 300),
	source_id uuid references source,
	description text collate "C" check (char_length(description) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch()
);
create index designation_list_created_at_idx on designation_list (created_at, id);
create index designation_list_name_idx on designation_list (name, id);
create index designation_list_issuer_idx on designation_list (issuer, id);
create index designation_list_source_id_idx on designation_list (source_id, id) where source_id is not null;

create table designation_list_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	name text collate "C",
	issuer text collate "C",
	source_id uuid,
	description text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index designation_list_past_known_to_idx on designation_list_past (known_to);
create index designation_list_past_to_xid_idx on designation_list_past (to_xid);
create index designation_list_past_slug_idx on designation_list_past (slug, known_to);

create table designation (
	id uuid primary key,
	slug text collate "C" unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	list_id uuid not null references designation_list,
	country text collate "C" check (country ~ '^[A-Z]{2}$'),
	shareholder_id uuid references shareholder,
	valid_from date check (valid_from between '1000-01-01' and '2999-12-31'),
	valid_to date check (valid_to between '1000-01-01' and '2999-12-31'),
	note text collate "C" check (char_length(note) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch(),
	check (num_nonnulls(country, shareholder_id) = 1),
	check (valid_to > valid_from)
);
create index designation_created_at_idx on designation (created_at, id);
create index designation_list_id_idx on designation (list_id, id);
create index designation_country_idx on designation (country, id);
create index designation_shareholder_id_idx on designation (shareholder_id, id) where shareholder_id is not null;
create index designation_valid_from_idx on designation (valid_from, id);
create index designation_valid_to_idx on designation (valid_to, id);

create table designation_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	list_id uuid,
	country text collate "C",
	shareholder_id uuid,
	valid_from date,
	valid_to date,
	note text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index designation_past_known_to_idx on designation_past (known_to);
create index designation_past_to_xid_idx on designation_past (to_xid);
create index designation_past_slug_idx on designation_past (slug, known_to);

create table claim (
	id uuid primary key,
	slug text collate "C" unique check (is_slug(slug)),
	version bigint not null default 1 check (version >= 1),
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	source_id uuid not null references source,
	subject_resource text collate "C" not null check (subject_resource ~ '^[a-z_]+$'),
	subject_id uuid not null,
	field text collate "C" not null check (char_length(field) between 1 and 300),
	value jsonb check (jsonb_typeof(value) <> 'null'),
	unit text collate "C" check (char_length(unit) between 1 and 20000),
	as_of date check (as_of between '1000-01-01' and '2999-12-31'),
	status text collate "C" not null check (status in ('rumoured', 'reported', 'expected', 'approved', 'confirmed',
		'disputed', 'superseded', 'denied')),
	credibility bigint check (credibility between 1 and 6),
	locator text collate "C" check (char_length(locator) between 1 and 200),
	note text collate "C" check (char_length(note) between 1 and 20000),
	known_xid xid8 not null default pg_current_xact_id(),
	known_epoch integer not null default epoch()
);
create index claim_created_at_idx on claim (created_at, id);
create index claim_source_id_idx on claim (source_id, id);
create index claim_subject_resource_idx on claim (subject_resource, id);
create index claim_subject_id_idx on claim (subject_id, id);
create index claim_field_idx on claim (field, id);
create index claim_as_of_idx on claim (as_of, id);
create index claim_status_idx on claim (status, id);
create index claim_credibility_idx on claim (credibility, id);

create table claim_past (
	known_to timestamptz not null,
	to_xid xid8 not null,
	to_epoch integer not null,
	id uuid not null,
	slug text collate "C",
	version bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	source_id uuid,
	subject_resource text collate "C",
	subject_id uuid,
	field text collate "C",
	value jsonb,
	unit text collate "C",
	as_of date,
	status text collate "C",
	credibility bigint,
	locator text collate "C",
	note text collate "C",
	known_xid xid8 not null,
	known_epoch integer not null,
	primary key (id, version),
	check (known_to > updated_at)
);
create index claim_past_known_to_idx on claim_past (known_to);
create index claim_past_to_xid_idx on claim_past (to_xid);
create index claim_past_slug_idx on claim_past (slug, known_to);

-- The financing that a stake came with.
alter table stake add column financing_id uuid references financing;
create index stake_financing_id_idx on stake (financing_id, id) where financing_id is not null;
alter table stake_past add column financing_id uuid;

-- The transactions under way that may still stamp something at or before a time: those with an id (every write takes one before
-- it stamps anything) that did not provably begin later; those of other databases write nothing here. Runs as the owner, because
-- nobody else but an account itself is told when its transactions began; one of an account that the owner cannot see counts.
create function writers_at(t timestamptz) returns xid[]
language sql volatile security definer
set search_path = lodebase, pg_temp
as $$
	select array(
		select l.transactionid
		from pg_locks l
		left join pg_stat_activity a on a.pid = l.pid
		where l.locktype = 'transactionid' and l.granted and l.mode = 'ExclusiveLock'
			and (a.pid is null or a.datid = (select d.oid from pg_database d where d.datname = current_database()))
			and coalesce(a.xact_start <= t, true))
$$;
