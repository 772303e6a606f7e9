/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tables of a store. This text is the only place that says what they are: whoever makes a store runs it. */
#include <dyn/sweep.h>

static const char schema[] =
    "-- Facts about the sweep: \"schema\", \"version\", \"created\", ...\n"
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;\n"
    "-- A training each. point: its parameters as a JSON object, which identify it. status: waiting, done, nonfinite\n"
    "-- (what it measured until then is there) or failed (message says why). reason: why the run ended. loss: the\n"
    "-- last in its history. fingerprint: of the run at step 0, see dyn_run_fingerprint. numerics: instruction set\n"
    "-- and libraries, which decide the bits.\n"
    "CREATE TABLE members (\n"
    "    member INTEGER PRIMARY KEY, point TEXT NOT NULL UNIQUE, status TEXT NOT NULL DEFAULT 'waiting', reason TEXT,\n"
    "    message TEXT, step INTEGER, loss REAL, seconds REAL, host TEXT, version TEXT, numerics TEXT, finished TEXT,\n"
    "    fingerprint TEXT);\n"
    "-- The parameters of each, one a row: numbers, or text for all else.\n"
    "CREATE TABLE parameters (member INTEGER NOT NULL REFERENCES members, name TEXT NOT NULL, value,\n"
    "    PRIMARY KEY (member, name));\n"
    "-- What was found, one number (or text) a row; NULL is NaN.\n"
    "CREATE TABLE results (member INTEGER NOT NULL REFERENCES members, name TEXT NOT NULL, value,\n"
    "    PRIMARY KEY (member, name));\n"
    "-- Arrays, row-major and little-endian; dtype as NumPy writes it, shape as JSON. A run's have the names of its\n"
    "-- checkpoint: theta, history.<column>, series.<name>.steps and .values.\n"
    "CREATE TABLE arrays (member INTEGER NOT NULL REFERENCES members, name TEXT NOT NULL, dtype TEXT NOT NULL,\n"
    "    shape TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (member, name));\n"
    "CREATE VIEW histories AS SELECT member, substr(name, 9) AS name, shape, data FROM arrays\n"
    "    WHERE name LIKE 'history.%';\n"
    "CREATE VIEW series AS SELECT v.member, substr(v.name, 8, length(v.name) - 14) AS name, v.shape, s.data AS steps,\n"
    "    v.data AS \"values\" FROM arrays v JOIN arrays s ON s.member = v.member AND v.name LIKE 'series.%.values'\n"
    "    AND s.name = substr(v.name, 1, length(v.name) - 6) || 'steps';\n";

const char *dyn_store_schema(void) { return schema; }
