/* What stands between a started process and a ready service, on a thread of its own while the workers already answer: the
 * database reached, the schema migrated, the role found, the first key made, an empty base seeded. Afterwards the thread
 * watches the embedded server's procedural language. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/api/api.h"
#include "lodebase/api/import.h"
#include "lodebase/app/database.h"

enum bringup_phase {
	BRINGUP_WAITING, /* the database was not reached yet, or the schema is being migrated */
	BRINGUP_SCHEMA, /* the schema stands, the role is known */
	BRINGUP_READY,
	BRINGUP_FAILED, /* for good; it was logged */
};

struct bringup;

struct bringup_config {
	const char *service, *owner; /* conninfos */
	const char *key_dir; /* where the first key's file goes; NULL: nowhere */
	bool key_to_terminal; /* stdout is one: print it there instead */
	const struct import_source *seeds;
	size_t n_seeds;
	struct api_shared *shared; /* its migrated, seeding, history_protected and plpgsql_broken are set here */
	int notify_fd; /* an eventfd, written when the phase changes */
};

enum err bringup_start(const struct bringup_config *config, struct bringup **ret) MUST_CHECK;
enum bringup_phase bringup_phase(struct bringup *b);
const char *bringup_role(struct bringup *b); /* from BRINGUP_SCHEMA on: the role of the service's sessions, or NULL */
const char *bringup_key_path(struct bringup *b); /* from BRINGUP_READY on: the file a first key was written to, or NULL */
/* The embedded server's files were replaced under it: see whether its language still loads. */
void bringup_language_replaced(struct bringup *b, bool replaced);
/* Interrupts what runs, joins and frees. ERR_TIMEOUT: the thread did not end until deadline_ms (clock_monotonic_ms()); it is then
 * left alone, and the process had better end. */
enum err bringup_stop(struct bringup *b, uint64_t deadline_ms) MUST_CHECK;
