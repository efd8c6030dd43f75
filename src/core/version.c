#include "lodebase/core/version.h"

const char *core_version(void)
{
	return LODEBASE_VERSION;
}
