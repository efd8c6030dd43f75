/* The body of a what-if, as far as it can be judged by itself. */
#include "what_if.h"

#include <string.h>
#include "lodebase/base/clock.h"

static const char *const asks[] = { "owners", "holdings", "cap-table", "screening", NULL };
static const char *const question_skip[] = { "ask", "subject", "valid_at", "known_at", NULL };

/* An object of which just some members are taken is told which others it has by this list. */
static bool is_among(const char *const *names, const char *name)
{
	return names[parameter_place(names, name)] != NULL;
}

/* An id or slug, as a reference has it; NULL with a fault at the pointer. */
static const char *read_key(struct what_if *w, struct faults *faults, const char *pointer, const json_t *v)
{
	const char *key;

	if (!v || json_is_null(v)) {
		faults_add(faults, FAULT_POINTER, pointer, "required", "an id or a slug is required");
		return NULL;
	}
	if (!json_is_string(v)) {
		faults_add(faults, FAULT_POINTER, pointer, "type", "must be a string: an id or a slug");
		return NULL;
	}
	key = parameter_key(w->arena, json_string_value(v), json_string_length(v));
	if (!key)
		faults_add(faults, FAULT_POINTER, pointer, "format", "must be an id or a slug");
	return key;
}

/* The entries of one list, each with its pointer as the prefix of its faults. */
static bool begin_list(struct what_if *w, const json_t *body, const char *name, size_t min, size_t max, size_t *ret_n)
{
	const json_t *list = json_object_get(body, name);

	*ret_n = 0;
	if ((!list || json_is_null(list)) && min == 0)
		return false;
	if (!list || json_is_null(list))
		faults_member(&w->faults, name, "required", "%s is required", name);
	else if (!json_is_array(list))
		faults_member(&w->faults, name, "type", "%s must be a list", name);
	else if (json_array_size(list) < min || json_array_size(list) > max)
		faults_member(&w->faults, name, "length", "%s must have %zu to %zu entries", name, min, max);
	else
		*ret_n = json_array_size(list);
	return *ret_n > 0;
}

static struct what_if_entry *begin_entries(struct what_if *w, const json_t *body, const char *name, struct what_if_list *ret)
{
	if (!begin_list(w, body, name, 0, WHAT_IF_ENTRIES_MAX, &ret->n))
		return NULL;
	ret->entries = arena_alloc(w->arena, ret->n * sizeof(*ret->entries));
	for (size_t i = 0; ret->entries && i < ret->n; i++) {
		const char *prefix = arena_printf(w->arena, "/%s/%zu", name, i);

		faults_init(&ret->entries[i].faults, w->arena);
		ret->entries[i].faults.prefix = prefix ? prefix : "";
		ret->entries[i].version = GRAPH_NONE;
	}
	return ret->entries;
}

/* Records as POST takes them; an id may be sent, as in an import, so that others can name it. */
static void read_records(struct what_if *w, const struct json_document *d, const char *name, const char *resource,
			 struct what_if_list *ret)
{
	const json_t *list = json_object_get(d->root, name);
	const struct resource *r = resource_find(resource);
	struct what_if_entry *entries = begin_entries(w, d->root, name, ret);

	for (size_t i = 0; entries && i < ret->n; i++) {
		struct what_if_entry *e = &entries[i];

		if (!validate_read(w->arena, r, d, json_array_get(list, i), &e->faults, &e->input))
			return; /* the arena's failure is seen in the end */
		validate_read_only(r, &e->input, NULL, true, &e->faults);
		if (e->input.readable)
			validate_complete(w->arena, r, &e->input.record, NULL, NULL, &e->faults);
	}
}

/* {"stake": …, field: value, …}: what is behind `stake` is a merge patch. */
static void read_change(struct what_if *w, const struct json_document *d, const json_t *v, struct what_if_entry *e)
{
	const struct resource *r = resource_find("stakes");
	json_t *patch = json_is_object(v) ? json_copy((json_t *)v) : json_incref((json_t *)v);

	if (json_is_object(patch)) {
		e->key = read_key(w, &e->faults, arena_printf(w->arena, "%s/stake", e->faults.prefix),
				  json_object_get(patch, "stake"));
		json_object_del(patch, "stake");
	}
	/* without memory the arena has failed, or the copy is missing, which is no object: said as a fault */
	(void)validate_read(w->arena, r, d, patch, &e->faults, &e->input);
	json_decref(patch);
}

static void read_changes(struct what_if *w, const struct json_document *d)
{
	const json_t *list = json_object_get(d->root, "change");
	struct what_if_entry *entries = begin_entries(w, d->root, "change", &w->change);

	for (size_t i = 0; entries && i < w->change.n; i++)
		read_change(w, d, json_array_get(list, i), &entries[i]);
}

static void read_keys(struct what_if *w, const json_t *body, const char *name, struct what_if_list *ret)
{
	const json_t *list = json_object_get(body, name);
	struct what_if_entry *entries = begin_entries(w, body, name, ret);

	for (size_t i = 0; entries && i < ret->n; i++)
		entries[i].key = read_key(w, &entries[i].faults, entries[i].faults.prefix, json_array_get(list, i));
}

/* --- questions --- */

static void read_ask(struct what_if_question *q, const json_t *v)
{
	size_t place = json_is_string(v) ? parameter_place(asks, json_string_value(v)) : 0;

	q->ask = WHAT_IF_UNREADABLE;
	if (!v || json_is_null(v))
		faults_member(&q->faults, "ask", "required", "ask is required");
	else if (!json_is_string(v))
		faults_member(&q->faults, "ask", "type", "ask must be a string");
	else if (!asks[place])
		faults_member(&q->faults, "ask", "enum", "ask must be one of: owners, holdings, cap-table, screening");
	else
		q->ask = (enum what_if_ask)place;
}

/* {"project": …} or {"shareholder": …} */
static void read_subject(struct what_if *w, struct what_if_question *q, const json_t *v)
{
	static const char *const names[] = { [GRAPH_SHAREHOLDERS] = "shareholder", [GRAPH_PROJECTS] = "project", NULL };
	const char *name, *found = NULL;
	json_t *member;

	if (!json_is_object(v)) {
		faults_member(&q->faults, "subject", !v || json_is_null(v) ? "required" : "type",
			      "subject must be an object like {\"project\": id or slug} or {\"shareholder\": id or slug}");
		return;
	}
	json_object_foreach((json_t *)v, name, member)
	{
		const char *pointer = arena_printf(w->arena, "%s/subject/%s", q->faults.prefix,
						   validate_pointer_token(w->arena, name, strlen(name)));

		if (!is_among(names, name)) {
			faults_add(&q->faults, FAULT_POINTER, pointer ? pointer : "", "unknown",
				   "a subject is a project or a shareholder");
			continue;
		}
		if (found)
			faults_add(&q->faults, FAULT_POINTER, pointer ? pointer : "", "exclusive",
				   "a question has one subject");
		found = name;
		q->query.resource = (enum graph_resource)parameter_place(names, name);
		q->query.subject = read_key(w, &q->faults, pointer ? pointer : "", member);
		q->subject_pointer = pointer;
	}
	if (!found)
		faults_member(&q->faults, "subject", "incomplete", "a subject is a project or a shareholder: name it");
	else if (q->ask == WHAT_IF_HOLDINGS && q->query.resource == GRAPH_PROJECTS)
		faults_add(&q->faults, FAULT_POINTER, q->subject_pointer, "exclusive",
			   "a project holds nothing: ask its owners");
}

static void read_parameters(struct what_if *w, const struct json_document *d, const json_t *v, struct what_if_question *q)
{
	const struct parameter_source source = { .arena = w->arena, .faults = &q->faults, .place = FAULT_POINTER };

	ownership_query_read(&source, (enum ownership_question)q->ask, NULL, 0, d, v, question_skip, &q->query);
	memcpy(q->query.valid_at, w->valid_at, sizeof(w->valid_at));
	q->query.valid_day = ownership_day(w->valid_at);
	read_subject(w, q, json_object_get(v, "subject"));
	if (q->query.subject)
		q->address = arena_printf(w->arena, "/v1/%s/%s/%s", inquiry_resource(q->query.resource), q->query.subject,
					  asks[q->ask]);
}

/* A screening reads its subject, or subjects, itself. */
static void read_screening(struct what_if *w, const struct json_document *d, const json_t *v, struct what_if_question *q)
{
	q->address = "/v1/screenings";
	q->screening = arena_alloc(w->arena, sizeof(*q->screening));
	if (!q->screening)
		return;
	screening_read(w->arena, d, v, q->faults.prefix, true, question_skip, q->screening);
	screening_set_valid_at(q->screening, w->valid_at);
}

static void refuse_shared(const json_t *v, struct what_if_question *q)
{
	static const char *const shared[] = { "valid_at", "known_at" };

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (json_object_get(v, shared[i]))
			faults_member(&q->faults, shared[i], "unknown",
				      "%s stands beside questions: all of them are asked of one day and one instant",
				      shared[i]);
}

static void read_question(struct what_if *w, const struct json_document *d, const json_t *v, struct what_if_question *q)
{
	if (!json_is_object(v)) {
		faults_add(&q->faults, FAULT_POINTER, q->faults.prefix, "type", "a question is an object");
		return;
	}
	read_ask(q, json_object_get(v, "ask"));
	refuse_shared(v, q);
	if (q->ask == WHAT_IF_SCREENING)
		read_screening(w, d, v, q);
	else if (q->ask != WHAT_IF_UNREADABLE)
		read_parameters(w, d, v, q);
	else
		read_subject(w, q, json_object_get(v, "subject"));
}

static void read_questions(struct what_if *w, const struct json_document *d)
{
	const json_t *list = json_object_get(d->root, "questions");

	if (!begin_list(w, d->root, "questions", 1, WHAT_IF_QUESTIONS_MAX, &w->n_questions))
		return;
	w->questions = arena_alloc(w->arena, w->n_questions * sizeof(*w->questions));
	for (size_t i = 0; w->questions && i < w->n_questions; i++) {
		const char *prefix = arena_printf(w->arena, "/questions/%zu", i);

		faults_init(&w->questions[i].faults, w->arena);
		w->questions[i].faults.prefix = prefix ? prefix : "";
		read_question(w, d, json_array_get(list, i), &w->questions[i]);
	}
}

/* --- the body --- */

/* valid_at by the reader of parameters, which says what else is unknown, too. known_at waits for the base's secret. */
static void read_instants(struct what_if *w, const struct json_document *d)
{
	static const struct parameter table[] = { { { .name = "valid_at", .type = FIELD_DATE }, .is_list = false } };
	static const char *const others[] = { "shareholders", "projects",  "add",      "change", "remove",
					      "exercise",     "questions", "known_at", NULL };
	const struct parameter_source source = { .arena = w->arena, .faults = &w->faults, .place = FAULT_POINTER };
	const json_t *known_at = json_object_get(d->root, "known_at");
	struct parameter_value value = { 0 };

	parameters_of_object(&source, table, 1, d, d->root, others, &value);
	if (value.n == 1)
		memcpy(w->valid_at, value.values[0], sizeof(w->valid_at));
	else
		clock_today(w->valid_at);
	if (json_is_string(known_at))
		w->known_at = arena_strndup(w->arena, json_string_value(known_at), json_string_length(known_at));
	else if (known_at && !json_is_null(known_at))
		faults_member(&w->faults, "known_at", "type", "known_at must be a string");
}

bool what_if_read(const struct json_document *d, struct what_if *w)
{
	if (!json_is_object(d->root)) {
		faults_add(&w->faults, FAULT_POINTER, "", "type", "a what-if is a JSON object");
		return !arena_failed(w->arena);
	}
	read_instants(w, d);
	read_records(w, d, "shareholders", "shareholders", &w->shareholders);
	read_records(w, d, "projects", "projects", &w->projects);
	read_records(w, d, "add", "stakes", &w->add);
	read_changes(w, d);
	read_keys(w, d->root, "remove", &w->remove);
	read_keys(w, d->root, "exercise", &w->exercise);
	read_questions(w, d);
	return !arena_failed(w->arena);
}

static void gather(struct faults *to, const struct faults *from, size_t *gathered)
{
	for (; *gathered < from->n; ++*gathered) {
		const struct fault *f = &from->items[*gathered];

		faults_add(to, f->place, f->where, f->code, "%s", f->detail);
	}
	to->truncated |= from->truncated;
}

void what_if_gather(struct what_if *w, struct faults *ret)
{
	struct what_if_list *lists[] = { &w->shareholders, &w->projects, &w->add, &w->change, &w->remove, &w->exercise };

	gather(ret, &w->faults, &w->gathered);
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
		for (size_t i = 0; i < lists[k]->n; i++)
			gather(ret, &lists[k]->entries[i].faults, &lists[k]->entries[i].gathered);
	for (size_t i = 0; i < w->n_questions; i++) {
		struct what_if_question *q = &w->questions[i];

		gather(ret, &q->faults, &q->gathered);
		if (q->screening)
			gather(ret, &q->screening->faults, &q->screening_gathered);
	}
}
