/* Text: UTF-8, lengths in code points, check digits of identifiers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool text_is_utf8(const char *s, size_t n); /* RFC 3629: no surrogates, no overlong forms, at most U+10FFFF */
size_t text_utf8_prefix(const char *s, size_t n); /* the length of the longest prefix that is UTF-8 */
size_t text_code_points(const char *s, size_t n); /* s is valid UTF-8 */
/* Whether some character would leave ink: not only white space, controls, format characters (zero-width and bidi marks),
 * combining marks alone, fillers such as U+3164, U+115F, U+2800 or unassigned/non-characters. s is valid UTF-8. */
bool text_has_visible(const char *s, size_t n);
/* ^[a-z0-9]+(-[a-z0-9]+)*$, 1-100 characters, not of UUID form (contract section 1). */
bool text_is_slug(const char *s, size_t n);
bool text_is_lei(const char *s, size_t n); /* 20 of 0-9 A-Z, ISO 7064 MOD 97-10 (ISO 17442) */
bool text_is_isin(const char *s, size_t n); /* 2 letters, 9 of 0-9 A-Z, check digit by Luhn over the expansion (ISO 6166) */
/* A well-formed language tag (BCP 47, RFC 5646 section 2.2.9): the grammar, no variant and no singleton twice. */
bool text_is_language(const char *s, size_t n);
/* An absolute http:// or https:// URL with a host and no white space, control characters or userinfo. */
bool text_is_http_url(const char *s, size_t n);
