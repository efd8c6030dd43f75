/* Search: what of a resource is searched follows from its field table. Names, other names and identifiers are compared by
 * trigrams, which forgives typing errors; all texts together by full text, each word asked for being the beginning of one that is
 * there. Records of resources without names are found by their texts, and by their slug as it stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "compose.h"
#include "lodebase/base/digest.h"

#define SQL_MAX (1u << 20)
/* PostgreSQL refuses words that take more than 1 MiB together, and so would refuse a record of many texts. The words of so many
 * code points surely fit: each takes nine bytes at most, its part of compound words and of places included. */
#define WORDS_MAX 100000

/* The kinds of text that a record has. */
enum part { PART_NAME, PART_ALIAS, PART_IDENTIFIER, PART_TEXT };

static bool is_part(const struct resource *r, size_t i, enum part part)
{
	const struct field *f = &r->fields[i];
	bool name = r->name_field && strcmp(f->name, r->name_field) == 0;

	switch (part) {
	case PART_NAME:
		return name;
	case PART_ALIAS:
		return f->type == FIELD_STRINGS;
	case PART_IDENTIFIER:
		return f->type == FIELD_SLUG || f->type == FIELD_LEI || f->type == FIELD_ISIN || f->type == FIELD_OBJECTS;
	default:
		return f->type == FIELD_TEXT && !name;
	}
}

/* One field as text; of objects what their last member says (an identifier's id, a code's code). */
static void field_text(struct buf *out, const struct field *f, const char *alias)
{
	size_t n = 0;

	if (f->type == FIELD_OBJECTS) {
		while (f->members[n + 1])
			n++;
		buf_printf(out, "jsonb_path_query_array(%s.\"%s\", '$[*].%s')::text", alias, f->name, f->members[n]);
	} else if (f->type == FIELD_STRINGS) {
		buf_printf(out, "%s.\"%s\"::text", alias, f->name);
	} else {
		buf_printf(out, "%s.\"%s\"", alias, f->name);
	}
}

/* All fields of some kinds behind each other; '' where there are none. */
static void parts_text(struct buf *out, const struct resource *r, const char *alias, enum part first, enum part last)
{
	bool any = false;

	buf_putc(out, '(');
	for (enum part part = first; part <= last; part++)
		for (size_t i = 0; i < r->n_fields; i++) {
			if (!is_part(r, i, part))
				continue;
			buf_printf(out, "%scoalesce(", any ? " || ' ' || " : "");
			field_text(out, &r->fields[i], alias);
			buf_puts(out, ", '')");
			any = true;
		}
	buf_puts(out, any ? ")" : "'')");
}

static bool has_part(const struct resource *r, enum part part)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (is_part(r, i, part))
			return true;
	return false;
}

static void names_text(struct buf *out, const struct resource *r, const char *alias)
{
	parts_text(out, r, alias, PART_NAME, PART_ALIAS);
}

static void words(struct buf *out, const struct resource *r, const char *alias)
{
	buf_puts(out, "to_tsvector('simple'::regconfig, left(");
	parts_text(out, r, alias, r->name_field ? PART_NAME : PART_TEXT, PART_TEXT);
	buf_printf(out, ", %d))", WORDS_MAX);
}

/* Where a resource has no names only those that have any text are indexed: most links have none. */
static void has_text(struct buf *out, const struct resource *r, const char *alias)
{
	bool any = false;

	buf_putc(out, '(');
	for (size_t i = 0; i < r->n_fields; i++)
		if (is_part(r, i, PART_TEXT)) {
			buf_printf(out, "%s%s.\"%s\" is not null", any ? " or " : "", alias, r->fields[i].name);
			any = true;
		}
	buf_putc(out, ')');
}

/* What is asked for: the text, its words as a tsquery, its pattern. */
struct asked {
	const char *text, *words, *pattern;
};

static void match(struct buf *out, const struct resource *r, const char *alias, const struct asked *q)
{
	buf_putc(out, '(');
	if (r->name_field) {
		names_text(out, r, alias);
		buf_printf(out, " %%> %s or ", q->text);
		names_text(out, r, alias);
		buf_printf(out, " ilike %s or ", q->pattern);
		words(out, r, alias);
		buf_printf(out, " @@ %s", q->words);
	} else {
		buf_printf(out, "%s.slug = lower(%s)", alias, q->text);
		if (has_part(r, PART_TEXT)) {
			buf_puts(out, " or ");
			has_text(out, r, alias);
			buf_puts(out, " and ");
			words(out, r, alias);
			buf_printf(out, " @@ %s", q->words);
		}
	}
	buf_putc(out, ')');
}

void compose_search_match(struct buf *out, const struct resource *r, const char *alias, const char *q)
{
	char words_of[80], pattern_of[80];

	snprintf(words_of, sizeof(words_of), "search_words(%s, ' & ')", q);
	snprintf(pattern_of, sizeof(pattern_of), "search_pattern(%s)", q);
	match(out, r, alias, &(struct asked){ q, words_of, pattern_of });
}

/* An index named after its definition, so that another definition is another index; those of old ones go. */
static void lay_index(struct buf *out, const struct resource *r, const char *kind, const char *definition)
{
	uint8_t digest[32];
	char hash[17];

	digest_sha256(definition, strlen(definition), digest);
	digest_hex(digest, 8, hash);
	buf_printf(out,
		   "do $search$\ndeclare\n\told text;\nbegin\n"
		   "\tfor old in select c.relname from pg_class c where c.relnamespace = 'lodebase'::regnamespace and "
		   "c.relkind = 'i'\n"
		   "\t\tand c.relname like '%s\\_search\\_%s\\_%%' and c.relname <> '%s_search_%s_%s'\n"
		   "\tloop\n\t\texecute format('drop index lodebase.%%I', old);\n\tend loop;\nend\n$search$;\n"
		   "create index if not exists %s_search_%s_%s on lodebase.%s %s;\n\n",
		   r->table, kind, r->table, kind, hash, r->table, kind, hash, r->table, definition);
}

void compose_search_indexes(struct buf *out, const struct resource *r)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	if (r->name_field) {
		buf_puts(&b, "using gin (");
		names_text(&b, r, r->table);
		buf_puts(&b, " lodebase.gin_trgm_ops)");
		lay_index(out, r, "names", b.failed ? "" : b.data);
		buf_reset(&b);
	}
	if (r->name_field || has_part(r, PART_TEXT)) {
		buf_puts(&b, "using gin (");
		words(&b, r, r->table);
		buf_putc(&b, ')');
		if (!r->name_field) {
			buf_puts(&b, " where ");
			has_text(&b, r, r->table);
		}
		lay_index(out, r, "words", b.failed ? "" : b.data);
	}
	out->failed = out->failed || b.failed;
	buf_done(&b);
}

/* Whether the text asked for is one of a record's identifiers, in any case. */
static void is_identifier(struct buf *out, const struct resource *r)
{
	buf_puts(out, "t.slug = lower($1)");
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];

		if (f->type == FIELD_LEI || f->type == FIELD_ISIN)
			buf_printf(out, " or t.\"%s\" = upper($1)", f->name);
		else if (f->type == FIELD_OBJECTS) {
			size_t n = 0;

			while (f->members[n + 1])
				n++;
			buf_printf(
				out,
				" or exists (select from jsonb_array_elements(t.\"%s\") e where lower(e ->> '%s') = lower($1))",
				f->name, f->members[n]);
		}
	}
}

/* Worked out once for the whole statement: a function of a parameter would be called for every row. */
#define ALL_WORDS "(select q.all_words from q)"
#define ANY_WORDS "(select q.any_words from q)"
#define PATTERN "(select q.pattern from q)"

static const struct asked here = { "$1", ALL_WORDS, PATTERN };

/* One resource's hits: how well each kind of text fits, from 0 to 1. A name that is the text asked for is best. The rank of
 * the texts is worked out only where nothing else fits well. */
static void hits(struct buf *out, const struct resource *r, size_t place)
{
	buf_printf(out, "select %zu as place, x.id, x.name, x.alias, x.identifier, ", place);
	if (r->name_field || has_part(r, PART_TEXT)) {
		buf_puts(out, "case when greatest(x.name, x.alias, x.identifier) >= 0.5 then 0 else ts_rank(");
		words(out, r, "t");
		buf_puts(out, ", " ANY_WORDS ") * 0.5 end as words");
	} else {
		buf_puts(out, "0 as words");
	}
	buf_printf(out, " from %s t cross join lateral (select t.id, ", r->table);
	if (r->name_field)
		buf_printf(out,
			   "case when lower(t.%s collate \"C.utf8\") = lower($1 collate \"C.utf8\") then 1 "
			   "else greatest(similarity(t.%s, $1) * 0.3 + word_similarity($1, t.%s) * 0.6, "
			   "case when t.%s ilike " PATTERN " then 0.6 end) end as name, ",
			   r->name_field, r->name_field, r->name_field, r->name_field);
	else
		buf_puts(out, "0 as name, ");
	if (has_part(r, PART_ALIAS)) {
		buf_puts(out, "greatest(word_similarity($1, ");
		parts_text(out, r, "t", PART_ALIAS, PART_ALIAS);
		buf_puts(out, ") * 0.8, case when ");
		parts_text(out, r, "t", PART_ALIAS, PART_ALIAS);
		buf_puts(out, " ilike " PATTERN " then 0.5 end) as alias, ");
	} else {
		buf_puts(out, "0 as alias, ");
	}
	buf_puts(out, "case when ");
	is_identifier(out, r);
	buf_puts(out, " then 0.99 when to_tsvector('simple'::regconfig, ");
	parts_text(out, r, "t", PART_IDENTIFIER, PART_IDENTIFIER);
	buf_puts(out, ") @@ " ALL_WORDS " then 0.7 else 0 end as identifier offset 0) x where ");
	match(out, r, "t", &here);
}

/* The identifier, as it is stored, that resembles the text asked for most. */
static void best_identifier(struct buf *out, const struct resource *r)
{
	bool any = false;

	buf_puts(out, "(select v from (");
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];
		size_t n = 0;

		if (!is_part(r, i, PART_IDENTIFIER))
			continue;
		buf_puts(out, any ? " union all " : "");
		any = true;
		if (f->type != FIELD_OBJECTS) {
			buf_printf(out, "select t.\"%s\" as v", f->name);
			continue;
		}
		while (f->members[n + 1])
			n++;
		buf_printf(out, "select e ->> '%s' from jsonb_array_elements(t.\"%s\") e", f->members[n], f->name);
	}
	buf_puts(out, ") i where v is not null order by lower(v) = lower($1) desc, starts_with(lower(v), lower($1)) desc, "
		      "word_similarity($1, v) desc limit 1) as identifier, ");
}

/* What is shown of a hit: its texts, by kind. */
static void shown(struct buf *out, const struct resource *r, size_t place)
{
	buf_printf(out, "select t.slug, %s%s as name, ", r->name_field ? "t." : "", r->name_field ? r->name_field : "t.slug");
	if (has_part(r, PART_ALIAS)) {
		bool any = false;

		buf_puts(out, "(select a from jsonb_array_elements_text(");
		for (size_t i = 0; i < r->n_fields; i++)
			if (is_part(r, i, PART_ALIAS)) {
				buf_printf(out, "%st.\"%s\"", any ? " || " : "", r->fields[i].name);
				any = true;
			}
		buf_puts(out, ") a order by word_similarity($1, a) desc, a ilike " PATTERN " desc limit 1) as alias, ");
	} else {
		buf_puts(out, "null as alias, ");
	}
	best_identifier(out, r);
	parts_text(out, r, "t", PART_TEXT, PART_TEXT);
	buf_printf(out, " as text from %s t where h.place = %zu and t.id = h.id", r->table, place);
}

char *compose_search(const bool *wanted)
{
	struct buf b;
	bool any = false;

	buf_init(&b, SQL_MAX);
	buf_puts(&b,
		 "with q as materialized (select search_words($1, ' & ') as all_words, search_words($1, ' | ') as any_words, "
		 "search_pattern($1) as pattern), hit as materialized (");
	for (size_t i = 0; resources[i]; i++) {
		if (wanted && !wanted[i])
			continue;
		buf_puts(&b, any ? " union all " : "");
		hits(&b, resources[i], i);
		any = true;
	}
	buf_puts(
		&b,
		"), best as (select h.*, greatest(h.name, h.alias, h.identifier, h.words) as score from hit h "
		"order by score desc, h.place, h.id limit $2::bigint), "
		"facet as (select place, count(*) as n from hit group by place) "
		"select h.place, h.id, s.slug, s.name, round(h.score::numeric, 6), "
		"case h.score when h.identifier then 'identifier' when h.name then 'name' when h.alias then 'alias' else "
		"'text' end, "
		/* brackets are hidden from the parser, which would take what is between them for markup and leave it out */
		"ts_headline('simple'::regconfig, translate(case h.score when h.identifier then s.identifier when h.name then "
		"s.name "
		"when h.alias then s.alias else s.text end, E'<>\\x01\\x02', E'\\x03\\x04'), " ANY_WORDS
		", E'StartSel=\\x01, StopSel=\\x02, MaxWords=24, MinWords=8, HighlightAll=' || "
		"(h.score in (h.identifier, h.name, h.alias))::text), "
		"(select string_agg(f.place || ':' || f.n, ',' order by f.place) from facet f), (select sum(f.n) from facet f) "
		"from best h cross join lateral (");
	any = false;
	for (size_t i = 0; resources[i]; i++) {
		if (wanted && !wanted[i])
			continue;
		buf_puts(&b, any ? " union all " : "");
		shown(&b, resources[i], i);
		any = true;
	}
	buf_puts(&b, ") s order by h.score desc, h.place, h.id");
	return buf_steal(&b, NULL);
}
