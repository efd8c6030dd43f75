/* The program's version, as meson.build has it (SemVer). */
#pragma once

const char *core_version(void);
