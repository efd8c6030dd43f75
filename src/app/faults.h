/* Faults of an import in lines for people. */
#pragma once

#include <stdio.h>
#include "lodebase/api/import.h"

/* "file:line: pointer: what is wrong", one a line, and at the end how many. */
void faults_print(const struct import_answer *a, FILE *out);
/* "12 records: 10 created, 2 updated, 0 unchanged (stakes 5, …)". */
void faults_print_summary(const struct import_answer *a, FILE *out);
