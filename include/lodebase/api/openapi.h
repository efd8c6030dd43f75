/* The API description, openapi.yaml as it stands at the root of the sources, for GET /openapi.yaml and /openapi.json. */
#pragma once

#include <stddef.h>

extern const char openapi_yaml[]; /* NUL-terminated; its own text, comments included */
extern const size_t openapi_yaml_len;
extern const char openapi_json[]; /* the same document, compact */
extern const size_t openapi_json_len;
