/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names and texts of the status codes, from the one list in the public header, and the version. */
#include <dyn/dyn.h>

const char *dyn_status_name(dyn_status s)
{
    switch (s) {
#define X(name, value, text) case name: return #name;
    DYN_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

const char *dyn_status_text(dyn_status s)
{
    switch (s) {
#define X(name, value, text) case name: return text;
    DYN_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

#define QUOTE_(x) #x
#define QUOTE(x) QUOTE_(x)

const char *dyn_version(void)
{
    return QUOTE(DYN_VERSION_MAJOR) "." QUOTE(DYN_VERSION_MINOR) "." QUOTE(DYN_VERSION_PATCH);
}
