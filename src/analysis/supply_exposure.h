/* What both ways to exposure share. Private to them. */
#pragma once

#include "lodebase/analysis/supply_trade.h"

bool exposure_is_member(const struct supply_exposure_question *q, uint16_t country);
/* On the list, and no member. */
bool exposure_is_listed(const struct supply_exposure_question *q, uint16_t country);
struct supply_figures exposure_figures(const struct supply_data *d, const struct supply_exposure_question *q,
				       enum supply_kind kind, int year, uint16_t country);
/* Of a single member; not known where there are no shares or no reliance. */
enum err exposure_from_shares(const struct supply_data *d, const struct supply_exposure_question *q, struct arena *memory,
			      struct supply_warnings *warnings, struct supply_span *ret) MUST_CHECK;
