"""Writes the country and currency codes of the iso-codes package as C: iso_codes.py JSON_FOLDER OUTPUT."""
import json
import os
import re
import sys


def codes(folder, standard, member, form):
    with open(os.path.join(folder, f"iso_{standard}.json"), encoding="utf-8") as file:
        found = sorted({entry[member] for entry in json.load(file)[standard]})
    wrong = [code for code in found if not re.fullmatch(form, code)]
    if wrong or len(found) < 100:
        sys.exit(f"iso_{standard}.json is not what was expected: {len(found)} codes, malformed: {wrong}")
    return found


def table(name, found):
    lines = [f"const char *const {name}[] = {{"]
    for at in range(0, len(found), 16):
        lines.append("\t" + " ".join(f'"{code}",' for code in found[at : at + 16]))
    lines += ["\tNULL,", "};", f"const size_t {name}_count = {len(found)};", ""]
    return "\n".join(lines)


def main():
    folder, output = sys.argv[1:]
    text = '/* Made by iso_codes.py from the iso-codes package. */\n#include "iso_tables.h"\n\n'
    text += table("iso_country_codes", codes(folder, "3166-1", "alpha_2", "[A-Z]{2}"))
    text += "\n" + table("iso_currency_codes", codes(folder, "4217", "alpha_3", "[A-Z]{3}"))
    with open(output, "w", encoding="ascii") as out:
        out.write(text)


main()
