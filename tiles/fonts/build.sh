#!/bin/sh
# Makes the glyphs of the map again: Be Vietnam Pro (SIL Open Font License 1.1) as signed distance fields.
# Needs npm and cargo (registries only) and FreeType (libfreetype-dev). Ranges without a glyph are left out: the server
# answers 404 for them, and the map then draws such a text with a font of the browser.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
cd "$work"
npm pack @expo-google-fonts/be-vietnam-pro@0.4.1 >/dev/null
tar xzf expo-google-fonts-be-vietnam-pro-0.4.1.tgz
cargo install build_pbf_glyphs --version 1.5.1 --locked --root "$work" --target-dir "$work/target"
mkdir -p in out
cp package/400Regular/*.ttf package/600SemiBold/*.ttf package/400Regular_Italic/*.ttf in/
./bin/build_pbf_glyphs --overwrite in out
fonts="$here/../../crates/render/fonts"
for pair in 400Regular:Regular 600SemiBold:SemiBold 400Regular_Italic:Italic; do
  to="$here/BeVietnamPro-${pair##*:}"
  rm -rf "$to" && mkdir "$to"
  find "out/BeVietnamPro_${pair%%:*}" -name '*.pbf' -size +99c -exec cp {} "$to/" \;
  # The outlines themselves, for pictures that the server draws.
  cp "package/${pair%%:*}"/*.ttf "$fonts/BeVietnamPro-${pair##*:}.ttf"
done
cp package/LICENSE_FONT "$here/OFL.txt"
cp package/LICENSE_FONT "$fonts/OFL.txt"
