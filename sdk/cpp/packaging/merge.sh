#!/bin/sh
# merge.sh OUT SHARED FILE…
#
# libatm0s.a and what tells of it, into the folder OUT, out of the objects and static libraries FILE…: one object of all
# that the public API needs, in which nothing is global but what the shared library SHARED exports. So a program that is
# linked with it may have another {fmt}, Boost or JSON library, or a class of the same name. For CMakeLists.txt; needs
# VERSION, FOLDERS, where libraries may be installed ("lib lib/x86_64-linux-gnu"), and binutils, whose programs NM, LD, OBJCOPY, READELF and AR may name.
set -eu

here=$(dirname "$0")
out=$1
shared=$2
shift 2
mkdir -p "$out"

"${NM:-nm}" -D --defined-only --format=just-symbols "$shared" >"$out/exported"
# Groups (of inline functions and templates) are dissolved, else the linker of the program would take one of them for
# another's of that name, and drop it.
"${LD:-ld}" -r --strip-debug --force-group-allocation -o "$out/all.o" --start-group "$@" --end-group
# Symbols that are unique in the process (g++'s for static data of templates) are kept global whatever is asked for, but
# for weak ones.
"${NM:-nm}" "$out/all.o" | awk '$2 == "u" { print $3 }' >"$out/unique"
"${OBJCOPY:-objcopy}" --weaken-symbols="$out/unique" "$out/all.o"
"${OBJCOPY:-objcopy}" --keep-global-symbols="$out/exported" "$out/all.o" "$out/atm0s.o"
rm -f "$out/libatm0s.a"
"${AR:-ar}" rcsD "$out/libatm0s.a" "$out/atm0s.o"
rm -f "$out/all.o" "$out/atm0s.o" "$out/unique" "$out/exported"

# The libraries that it stands on are those of the shared one: their names without "lib" and ".so.N".
libraries=$("${READELF:-readelf}" -d "$shared" |
  sed -n -E 's/.*\(NEEDED\).*\[lib([^]]*)\.so[^]]*\]/\1/p' | grep -v -x -E 'c|gcc_s|ld-linux.*' | tr '\n' ' ')
flags=$(for name in $libraries; do printf -- '-l%s ' "$name"; done)
names=$(for name in $libraries; do printf '%s;' "$name"; done)
# One for each folder: the way up from its pkgconfig to the prefix.
for folder in $FOLDERS; do
  up=$(echo "$folder/pkgconfig" | sed -E 's|[^/]+|..|g')
  mkdir -p "$out/$folder"
  sed "s|@UP@|$up|; s|@VERSION@|$VERSION|; s|@LIBRARIES@|${flags}-pthread|" "$here/atm0s.pc.in" >"$out/$folder/atm0s.pc"
done
sed "s|@LIBRARIES@|${names}|" "$here/atm0sStatic.cmake.in" >"$out/atm0sStatic.cmake"
