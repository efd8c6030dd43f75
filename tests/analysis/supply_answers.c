/* Answers questions about supply from data on standard input, one JSON text (or CSV) per question, as the service would.
 *
 * Lines of words with a tab between, "-" for none:
 *   data                                                                forgets all
 *   mineral SLUG
 *   source SLUG PUBLISHED_ON
 *   figure MINERAL STAGE KIND SCOPE COUNTRY PARTNER PRODUCT YEAR QUANTITY UNIT BASIS QUALIFIER EXCLUDES SOURCE
 *   member SET COUNTRY FROM TO
 *   rule SLUG MEASURE COMPARATOR THRESHOLD
 *   project SLUG COUNTRY STATUS START
 *   output SLUG PROJECT MINERAL STAGE MIN MAX UNIT BASIS START END STATUS REPLACES      (REPLACES: one that came before)
 *   feed OUTPUT COUNTRY PCT
 *   share OUTPUT OWNER MIN MAX MIN MAX      what of an output an owner has, in units of 10^-12 per cent and as doubles; OWNER -:
 *                                           unexplained
 *   ask WHAT [NAME=VALUE …]      effect capacity supply trend chain concentration alliance benchmarks reliance; csv=1 gives CSV and a line "."
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/analysis/supply_capacity.h"
#include "lodebase/analysis/supply_effect.h"

#define SETS 8
#define MEMBERS 4096
#define RULES 16
#define SHARES 4096
#define WORDS 20

struct state {
	struct arena *arena;
	struct supply_data data;
	struct supply_plants plants;
	struct shared {
		uint32_t output;
		const char *owner;
		struct supply_owned_share min, max;
	} shares[SHARES];
	size_t n_shares;
	const char *set_names[SETS];
	struct supply_set sets[SETS];
	size_t n_sets;
	struct supply_rule rules[RULES];
	size_t n_rules;
};

static void fail(const char *what)
{
	fprintf(stderr, "supply_answers: %s\n", what);
	exit(1);
}

static const char *keep(struct state *s, const char *word)
{
	return strcmp(word, "-") == 0 ? NULL : arena_strdup(s->arena, word);
}

static uint8_t place(const char *const *names, const char *word)
{
	int i = supply_name_index(names, word);

	if (i < 0)
		fail(word);
	return (uint8_t)i;
}

static uint32_t find(const struct supply_node *nodes, size_t n, const char *slug)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(nodes[i].slug, slug) == 0)
			return (uint32_t)i;
	fail(slug);
	return 0;
}

static void begin(struct state *s)
{
	arena_free(s->arena);
	*s = (struct state){ .arena = arena_new(256 << 20) };
	supply_data_begin(&s->data, s->arena);
	supply_plants_begin(&s->plants, s->arena);
}

static void add_figure(struct state *s, char **word)
{
	struct supply_figure f = { .mineral = find(s->data.minerals, s->data.n_minerals, word[1]),
				   .stage = place(supply_stage_names, word[2]),
				   .kind = place(supply_kind_names, word[3]),
				   .scope = place(supply_scope_names, word[4]),
				   .country = supply_country(word[5][0] == '-' ? NULL : word[5]),
				   .partner = supply_country(word[6][0] == '-' ? NULL : word[6]),
				   .product = keep(s, word[7]),
				   .year = (int16_t)atoi(word[8]),
				   .quantity = keep(s, word[9]),
				   .unit = place(supply_unit_names, word[10]),
				   .basis = place(supply_basis_names, word[11]),
				   .qualifier = place(supply_qualifier_names, word[12]),
				   .source = find(s->data.sources, s->data.n_sources, word[14]),
				   .id = arena_printf(s->arena, "f%zu", s->data.n_figures) };
	uint16_t *excludes = arena_alloc(s->arena, strlen(word[13]) * sizeof(*excludes));

	for (char *rest = word[13], *code; excludes && (code = strsep(&rest, ","));)
		if (*code != '-')
			excludes[f.n_excludes++] = supply_country(code);
	f.excludes = excludes;
	if (supply_add_figure(&s->data, f) != OK)
		fail("no memory");
}

static struct supply_set *set_of(struct state *s, const char *name, bool make)
{
	for (size_t i = 0; i < s->n_sets; i++)
		if (strcmp(s->set_names[i], name) == 0)
			return &s->sets[i];
	if (!make || s->n_sets == SETS)
		fail(name);
	s->set_names[s->n_sets] = keep(s, name);
	s->sets[s->n_sets].members = arena_alloc(s->arena, MEMBERS * sizeof(struct supply_member));
	return &s->sets[s->n_sets++];
}

static void add_member(struct state *s, char **word)
{
	struct supply_set *set = set_of(s, word[1], true);
	struct supply_member *members = (struct supply_member *)set->members;

	if (!members || set->count == MEMBERS)
		fail("too many members");
	members[set->count++] = (struct supply_member){ .country = word[2][0] == '-' ? 0 : supply_country(word[2]),
							.valid_from = keep(s, word[3]),
							.valid_to = keep(s, word[4]) };
}

static void add_rule(struct state *s, char **word)
{
	const char *slug = keep(s, word[1]);

	if (s->n_rules == RULES)
		fail("too many rules");
	s->rules[s->n_rules++] = (struct supply_rule){ .node = { .id = slug, .slug = slug, .name = slug },
						       .version = "1",
						       .coverage = strcmp(word[2], "coverage") == 0,
						       .strict = strcmp(word[3], ">") == 0,
						       .threshold_pct = keep(s, word[4]) };
}

static int year_of(const char *word)
{
	return word[0] == '-' ? 0 : atoi(word);
}

static uint32_t find_project(const struct state *s, const char *slug)
{
	for (size_t i = 0; i < s->plants.n_projects; i++)
		if (strcmp(s->plants.projects[i].node.slug, slug) == 0)
			return (uint32_t)i;
	fail(slug);
	return 0;
}

static uint32_t find_output(const struct state *s, const char *slug)
{
	for (size_t i = 0; i < s->plants.n_outputs; i++)
		if (strcmp(s->plants.outputs[i].id, slug) == 0)
			return (uint32_t)i;
	fail(slug);
	return 0;
}

static void add_project(struct state *s, char **word)
{
	const char *slug = keep(s, word[1]);
	struct supply_project p = { .node = { .id = slug, .slug = slug, .name = slug },
				    .country = supply_country(word[2][0] == '-' ? NULL : word[2]),
				    .status = place(supply_status_names, word[3]),
				    .start_year = (int16_t)year_of(word[4]) };

	if (supply_add_project(&s->plants, p) != OK)
		fail("no memory");
}

static void add_output(struct state *s, char **word)
{
	struct supply_plant_output o = { .id = keep(s, word[1]),
					 .project = find_project(s, word[2]),
					 .mineral = find(s->data.minerals, s->data.n_minerals, word[3]),
					 .stage = place(supply_stage_names, word[4]),
					 .capacity_min = keep(s, word[5]),
					 .capacity_max = keep(s, word[6]),
					 .unit = place(supply_unit_names, word[7]),
					 .basis = place(supply_basis_names, word[8]),
					 .start_year = (int16_t)year_of(word[9]),
					 .end_year = (int16_t)year_of(word[10]),
					 .status = word[11][0] == '-' ? -1 : (int8_t)place(supply_status_names, word[11]),
					 .replaces = word[12][0] == '-' ? SUPPLY_NONE : find_output(s, word[12]) };

	if (supply_add_output(&s->plants, o) != OK)
		fail("no memory");
}

static void add_feed(struct state *s, char **word)
{
	struct supply_feed f = { .output = find_output(s, word[1]),
				 .country = supply_country(word[2][0] == '-' ? NULL : word[2]),
				 .pct = keep(s, word[3]) };

	if (supply_add_feed(&s->plants, f) != OK)
		fail("no memory");
}

static void add_share(struct state *s, char **word)
{
	if (s->n_shares == SHARES)
		fail("too many shares");
	s->shares[s->n_shares++] = (struct shared){ .output = find_output(s, word[1]),
						    .owner = keep(s, word[2]),
						    .min = { strtoll(word[3], NULL, 10), strtod(word[5], NULL) },
						    .max = { strtoll(word[4], NULL, 10), strtod(word[6], NULL) } };
}

static const char *given(char **word, size_t n, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 2; i < n; i++)
		if (strncmp(word[i], name, len) == 0 && word[i][len] == '=')
			return word[i] + len + 1;
	return NULL;
}

/* With utilisation=MIN,MAX, assume= and steps=, of all projects. */
static enum err effect(struct state *s, char **word, size_t n, const struct supply_question *q, const struct supply_output *out)
{
	const char *use = given(word, n, "utilisation"), *assume = given(word, n, "assume");
	const char *comma = use ? strchr(use, ',') : NULL;
	uint32_t *projects = arena_alloc(out->memory, s->plants.n_projects * sizeof(*projects));
	struct supply_owned *owned = arena_alloc(out->memory, s->plants.n_projects * sizeof(*owned));
	struct supply_effect_question x = { .projects = projects,
					    .n_projects = s->plants.n_projects,
					    .year = q->year,
					    .statuses = (1u << SUPPLY_SUSPENDED) - 1,
					    .list = q->list,
					    .members = q->members,
					    .has_list = q->of != NULL,
					    .has_alliance = q->alliance != NULL,
					    .steps = given(word, n, "steps") ? strtoul(given(word, n, "steps"), NULL, 10) : 0 };
	struct supply_effect made;
	enum err e;

	for (uint32_t i = 0; projects && i < s->plants.n_projects; i++)
		projects[i] = i;
	if (use) {
		x.use_min = arena_strndup(s->arena, use, comma ? (size_t)(comma - use) : strlen(use));
		x.use_max = comma ? comma + 1 : x.use_min;
	}
	e = projects && owned ? supply_effect_make(&s->data, &s->plants, &x, out->memory, out->warnings, &made) : ERR_NOMEM;
	if (e != OK)
		return e;
	supply_effect_write(&s->data, &s->plants, &x, &made, owned, !assume || strcmp(assume, "add") == 0,
			    !assume || strcmp(assume, "displace") == 0, out);
	supply_effect_clear(&made);
	return OK;
}

static enum err divide(const struct state *s, const struct supply_chosen *chosen, struct supply_portions *p)
{
	enum err e = OK;

	for (uint32_t i = 0; e == OK && i < chosen->count; i++) {
		struct supply_owner_share *shares = arena_alloc(p->arena, SHARES * sizeof(*shares));
		size_t n = 0;
		struct supply_owned_share unexplained[2] = { 0 };

		for (size_t k = 0; shares && k < s->n_shares; k++) {
			const struct shared *x = &s->shares[k];

			if (x->output != chosen->outputs[i])
				continue;
			if (!x->owner) {
				unexplained[0] = x->min;
				unexplained[1] = x->max;
				continue;
			}
			shares[n++] = (struct supply_owner_share){ .owner = supply_portions_owner(p, x->owner),
								   .min = x->min,
								   .max = x->max };
		}
		e = shares ? supply_portions_divide(p, i, shares, n, unexplained[0], unexplained[1]) : ERR_NOMEM;
	}
	return e;
}

/* Of a mineral's stage, by location unless shares are given (by=owner). */
static enum err capacity(struct state *s, char **word, size_t n, const struct supply_question *q, uint32_t mineral,
			 const struct supply_output *out)
{
	struct supply_capacity_question x = { .mineral = mineral,
					      .stage = (enum supply_stage)q->stage,
					      .year = q->year,
					      .statuses = 1u << SUPPLY_OPERATING | 1u << SUPPLY_APPROVED };
	struct supply_portions portions;
	struct supply_chosen chosen;
	enum err e = supply_capacity_choose(&s->data, &s->plants, &x, out->memory, out->warnings, &chosen);

	supply_portions_begin(&portions, out->memory);
	if (e == OK)
		e = given(word, n, "by") ? divide(s, &chosen, &portions)
					 : supply_portions_by_location(&s->plants, &chosen, &portions);
	if (e == OK)
		e = supply_capacity_write(&s->plants, &chosen, &portions, out);
	supply_portions_clear(&portions);
	return e;
}

static enum err answer(struct state *s, char **word, size_t n, const struct supply_question *q, const struct supply_output *out)
{
	const char *mineral = given(word, n, "mineral"), *sort = given(word, n, "sort"), *limit = given(word, n, "limit");
	const char *country = given(word, n, "country");
	uint32_t m = mineral ? find(s->data.minerals, s->data.n_minerals, mineral) : 0;

	if (strcmp(word[1], "effect") == 0)
		return effect(s, word, n, q, out);
	if (strcmp(word[1], "capacity") == 0)
		return capacity(s, word, n, q, m, out);
	if (strcmp(word[1], "supply") == 0)
		return supply_write_table(&s->data, q, m, out);
	if (strcmp(word[1], "trend") == 0)
		return supply_write_trend(&s->data, q, m, out);
	if (strcmp(word[1], "chain") == 0)
		return supply_write_chain(&s->data, q, m, out);
	if (strcmp(word[1], "concentration") == 0)
		return supply_write_concentration(
			&s->data, q, sort ? (enum supply_sort)place(supply_sort_names, sort + (*sort == '-')) : SUPPLY_BY_HHI,
			!sort || *sort == '-', limit ? (size_t)atoi(limit) : 100, out);
	if (strcmp(word[1], "alliance") == 0)
		return supply_write_alliance(&s->data, q, out);
	if (strcmp(word[1], "benchmarks") == 0)
		return supply_write_benchmarks(&s->data, q, s->rules, s->n_rules, out);
	if (strcmp(word[1], "reliance") == 0)
		return supply_write_reliance(&s->data, q, m, supply_country(country), out);
	fail(word[1]);
	return ERR_STATE;
}

static void ask(struct state *s, char **word, size_t n)
{
	const char *of = given(word, n, "of"), *alliance = given(word, n, "alliance"), *year = given(word, n, "year");
	const char *stage = given(word, n, "stage"), *kind = given(word, n, "kind"), *guideline = given(word, n, "guideline");
	struct supply_node node = { .id = alliance, .slug = alliance, .name = alliance };
	struct supply_question q = { .kind = kind ? (enum supply_kind)place(supply_kind_names, kind) : SUPPLY_PRODUCTION,
				     .stage = stage ? place(supply_stage_names, stage) : -1,
				     .year = year ? atoi(year) : 0,
				     .of = of,
				     .alliance = alliance ? &node : NULL };
	struct supply_warnings warnings;
	struct json_writer w;
	struct buf text;
	bool csv = given(word, n, "csv") != NULL;
	struct supply_output out = { .json = csv ? NULL : &w, .csv = csv ? &text : NULL };

	supply_data_sort(&s->data);
	q.list = of ? set_of(s, of, false) : NULL;
	q.members = alliance ? set_of(s, alliance, false) : NULL;
	q.guideline = guideline && strcmp(guideline, "2010") == 0 ? SUPPLY_GUIDELINE_2010 : SUPPLY_GUIDELINE_2023;
	out.memory = arena_new(256 << 20);
	out.warnings = &warnings;
	if (!out.memory)
		fail("no memory");
	supply_warnings_begin(&warnings, out.memory);
	buf_init(&text, 256 << 20);
	json_begin(&w, &text);
	if (!csv)
		json_object_begin(&w);
	if (answer(s, word, n, &q, &out) != OK || text.failed || warnings.failed)
		fail("no memory");
	if (!csv) {
		supply_write_warnings(&w, &warnings);
		json_object_end(&w);
	}
	printf(csv ? "%s.\n" : "%s\n", text.data);
	buf_done(&text);
	arena_free(out.memory);
}

int main(void)
{
	static struct state s;
	char line[4096];

	begin(&s);
	while (fgets(line, sizeof(line), stdin)) {
		char *word[WORDS + 1], *rest = line;
		size_t n = 0;

		line[strcspn(line, "\n")] = '\0';
		while (n < WORDS && (word[n] = strsep(&rest, "\t")))
			n++;
		if (strcmp(word[0], "data") == 0)
			begin(&s);
		else if (strcmp(word[0], "mineral") == 0 && n == 2) {
			const char *slug = keep(&s, word[1]);

			if (supply_add_mineral(&s.data, (struct supply_node){ .id = slug, .slug = slug, .name = slug }) != OK)
				fail("no memory");
		} else if (strcmp(word[0], "source") == 0 && n == 3) {
			const char *slug = keep(&s, word[1]);

			if (supply_add_source(&s.data, (struct supply_node){ .id = slug,
									     .slug = slug,
									     .name = slug,
									     .published_on = keep(&s, word[2]) }) != OK)
				fail("no memory");
		} else if (strcmp(word[0], "figure") == 0 && n == 15)
			add_figure(&s, word);
		else if (strcmp(word[0], "member") == 0 && n == 5)
			add_member(&s, word);
		else if (strcmp(word[0], "project") == 0 && n == 5)
			add_project(&s, word);
		else if (strcmp(word[0], "output") == 0 && n == 13)
			add_output(&s, word);
		else if (strcmp(word[0], "feed") == 0 && n == 4)
			add_feed(&s, word);
		else if (strcmp(word[0], "share") == 0 && n == 7)
			add_share(&s, word);
		else if (strcmp(word[0], "rule") == 0 && n == 5)
			add_rule(&s, word);
		else if (strcmp(word[0], "ask") == 0 && n >= 2)
			ask(&s, word, n);
		else
			fail("a line that is no command");
	}
	arena_free(s.arena);
	return 0;
}
