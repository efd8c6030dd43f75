#include "lodebase/api/openapi.h"

#include "openapi_data.h" /* made by openapi_embed.py */

const char openapi_yaml[] = OPENAPI_YAML;
const size_t openapi_yaml_len = sizeof(openapi_yaml) - 1;
const char openapi_json[] = OPENAPI_JSON;
const size_t openapi_json_len = sizeof(openapi_json) - 1;
