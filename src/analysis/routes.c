/* The addresses of the analysis layer. */
#include "screening.h"
#include "supply_get.h"
#include "what_if.h"

/* clang-format off */
static const int subject_statuses[] = { 200, 400, 401, 404, 406, 503, 504, 0 };
static const int overall_statuses[] = { 200, 400, 401, 406, 503, 504, 0 };
static const int structure_statuses[] = { 200, 400, 401, 406, 422, 503, 504, 0 };
static const int ownership_statuses[] = { 200, 400, 401, 404, 406, 422, 503, 504, 0 };
static const int what_if_statuses[] = { 200, 400, 401, 406, 409, 413, 415, 422, 503, 504, 0 };
static const int screening_statuses[] = { 200, 400, 401, 406, 413, 415, 422, 503, 504, 0 };

#define JSON_OR_CSV "application/json, text/csv"

static const struct operation owners_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, owners_check, owners_run, ownership_statuses },
};
static const struct operation holdings_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, holdings_check, holdings_run, ownership_statuses },
};
static const struct operation cap_table_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, cap_table_check, cap_table_run, ownership_statuses },
};
static const struct operation what_if_operations[] = {
	{ HTTP_POST, SCOPE_READ, BODY_RECORD, "application/json", NULL, what_if_run, what_if_statuses },
};
static const struct operation power_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", power_check, power_run, ownership_statuses },
};
static const struct operation cycles_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", cycles_check, cycles_run, structure_statuses },
};
static const struct operation paths_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", paths_check, paths_run, structure_statuses },
};
/* Its parameter `format` says which of these is answered. */
static const struct operation structure_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json, application/graphml+xml, text/vnd.graphviz", structure_check, structure_run, structure_statuses },
};
static const struct operation supply_table_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_table_check, supply_run, subject_statuses },
};
static const struct operation supply_trend_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_trend_check, supply_run, subject_statuses },
};
static const struct operation supply_chain_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_chain_check, supply_run, subject_statuses },
};
static const struct operation supply_reliance_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_reliance_check, supply_run, subject_statuses },
};
static const struct operation supply_concentration_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_concentration_check, supply_run, overall_statuses },
};
static const struct operation supply_alliance_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_alliance_check, supply_run, subject_statuses },
};
static const struct operation supply_benchmarks_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_benchmarks_check, supply_run, subject_statuses },
};
static const struct operation supply_effect_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_effect_check, supply_run, overall_statuses },
};
static const struct operation supply_project_effect_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_project_effect_check, supply_run, subject_statuses },
};
static const struct operation supply_capacity_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, JSON_OR_CSV, supply_capacity_check, supply_run, overall_statuses },
};

static const struct operation screening_operations[] = {
	{ HTTP_POST, SCOPE_READ, BODY_RECORD, "application/json", NULL, screenings_run, screening_statuses },
};

#define OPERATIONS(table) table, sizeof(table) / sizeof((table)[0])

const struct route analysis_routes[] = {
	{ "/v1/projects/{id}/owners", false, OPERATIONS(owners_operations) },
	{ "/v1/shareholders/{id}/owners", false, OPERATIONS(owners_operations) },
	{ "/v1/shareholders/{id}/holdings", false, OPERATIONS(holdings_operations) },
	{ "/v1/projects/{id}/cap-table", false, OPERATIONS(cap_table_operations) },
	{ "/v1/shareholders/{id}/cap-table", false, OPERATIONS(cap_table_operations) },
	{ "/v1/ownership/what-if", false, OPERATIONS(what_if_operations) },
	{ "/v1/projects/{id}/power", false, OPERATIONS(power_operations) },
	{ "/v1/shareholders/{id}/power", false, OPERATIONS(power_operations) },
	{ "/v1/ownership/cycles", false, OPERATIONS(cycles_operations) },
	{ "/v1/ownership/paths", false, OPERATIONS(paths_operations) },
	{ "/v1/ownership/graph", false, OPERATIONS(structure_operations) },
	{ "/v1/minerals/{id}/supply", false, OPERATIONS(supply_table_operations) },
	{ "/v1/minerals/{id}/supply/trend", false, OPERATIONS(supply_trend_operations) },
	{ "/v1/minerals/{id}/chain", false, OPERATIONS(supply_chain_operations) },
	{ "/v1/minerals/{id}/reliance", false, OPERATIONS(supply_reliance_operations) },
	{ "/v1/supply/concentration", false, OPERATIONS(supply_concentration_operations) },
	{ "/v1/supply/effect", false, OPERATIONS(supply_effect_operations) },
	{ "/v1/supply/capacity", false, OPERATIONS(supply_capacity_operations) },
	{ "/v1/projects/{id}/effect", false, OPERATIONS(supply_project_effect_operations) },
	{ "/v1/alliances/{id}/supply", false, OPERATIONS(supply_alliance_operations) },
	{ "/v1/alliances/{id}/benchmarks", false, OPERATIONS(supply_benchmarks_operations) },
	{ "/v1/screenings", false, OPERATIONS(screening_operations) },
};
/* clang-format on */
const size_t n_analysis_routes = sizeof(analysis_routes) / sizeof(analysis_routes[0]);
