/* Decisions: what a board, a meeting, a court or an agency decides or is to decide, and about what. */
#include "shapes.h"

static const char *const bodies[] = { "board", "general_meeting", "court", "agency", "government", "other", NULL };
static const char *const subjects[] = { "projects", "stakes", "financings", "shareholders", "decisions", NULL };
static const char *const outcomes[] = { "scheduled", "approved", "rejected",   "deferred", "withdrawn",
					"dismissed", "upheld",   "overturned", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	COMMON_NAME("title"),
	COMMON_REF("decider_id", 0, "shareholders"),
	COMMON_ENUM("body", FIELD_REQUIRED | FIELD_INDEXED, bodies),
	COMMON_ENUM("subject_resource", FIELD_REQUIRED | FIELD_INDEXED, subjects),
	{ .name = "subject_id", .type = FIELD_SUBJECT, .flags = FIELD_REQUIRED | FIELD_INDEXED },
	COMMON_DATE("scheduled_on", FIELD_INDEXED),
	COMMON_DATE("held_on", FIELD_INDEXED),
	COMMON_ENUM("outcome", FIELD_REQUIRED | FIELD_INDEXED, outcomes),
	COMMON_REF("challenges_id", 0, "decisions"),
	COMMON_PROSE("summary"),
};

const struct resource decision_resource = {
	.name = "decisions",
	.table = "decision",
	.singular = "decision",
	.name_field = "title",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
};
