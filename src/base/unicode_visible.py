"""Writes the table of code points that leave ink, as C, from Python's Unicode data.

Letters, numbers, punctuation, symbols and private-use characters are taken to be visible; marks, separators, controls,
format characters, surrogates and unassigned code points are not, and neither are the fillers and blanks below, which are
letters or symbols by category only.
"""
import sys
import unicodedata

BLANK = {
    0x115F,  # Hangul choseong filler
    0x1160,  # Hangul jungseong filler
    0x2800,  # Braille pattern blank
    0x3164,  # Hangul filler
    0xFFA0,  # halfwidth Hangul filler
    0xFFFC,  # object replacement character
    0x1D159,  # musical symbol null notehead
}


def is_visible(point):
    category = unicodedata.category(chr(point))
    return (category[0] in "LNPS" or category == "Co") and point not in BLANK


def ranges():
    first = None
    for point in range(0x110001):
        visible = point < 0x110000 and is_visible(point)
        if visible and first is None:
            first = point
        elif not visible and first is not None:
            yield first, point - 1
            first = None


def main():
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write(f'/* Made by {sys.argv[0].rsplit("/", 1)[-1]} from Unicode {unicodedata.unidata_version}. */\n')
        out.write('#include "text_visible.h"\n\nconst struct code_range text_visible[] = {\n')
        count = 0
        for first, last in ranges():
            out.write(f"\t{{ 0x{first:04X}, 0x{last:04X} }},\n")
            count += 1
        out.write(f"}};\nconst size_t text_visible_count = {count};\n")


main()
