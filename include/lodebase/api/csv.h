/* Cells of CSV (RFC 4180), for answers that are no records. */
#pragma once

#include "lodebase/base/buf.h"

/* A text, quoted where it must be; one that a spreadsheet would take for a formula gets an apostrophe in front. NULL: empty. */
void csv_text(struct buf *out, const char *s);
