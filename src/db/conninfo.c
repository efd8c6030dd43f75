#include "lodebase/db/conninfo.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/buf.h"

#define CONNINFO_MAX 65536

static void put_option(struct buf *b, const char *keyword, const char *value)
{
	buf_printf(b, "%s%s='", b->len ? " " : "", keyword);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *value);
	}
	buf_putc(b, '\'');
}

enum err db_conninfo_for_child(const char *conninfo, char **ret_argument, char **ret_password)
{
	char *message = NULL, *password = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &message);
	enum err e = options ? OK : message ? ERR_INVALID : ERR_NOMEM;
	struct buf b;

	buf_init(&b, CONNINFO_MAX);
	buf_puts(&b, "");
	for (PQconninfoOption *o = options; e == OK && o->keyword; o++) {
		if (!o->val)
			continue;
		if (strcmp(o->keyword, "password") == 0) {
			password = strdup(o->val);
			e = password ? OK : ERR_NOMEM;
		} else if (strcmp(o->dispchar, "*") == 0) {
			e = ERR_DENIED;
		} else {
			put_option(&b, o->keyword, o->val);
		}
	}
	PQfreemem(message);
	PQconninfoFree(options);
	if (e == OK && (b.failed || !(*ret_argument = buf_steal(&b, NULL))))
		e = ERR_NOMEM;
	buf_done(&b);
	if (e == OK) {
		*ret_password = password;
	} else if (password) {
		explicit_bzero(password, strlen(password));
		free(password);
	}
	return e;
}
