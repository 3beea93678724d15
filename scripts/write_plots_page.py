"""Write .dvc/plots/page.html, the page that `dvc plots` fills: with Vega inside, so that it needs no network.

DVC's own page loads Vega from a content delivery network. The libraries come from the package vl-convert-python, which
the extra `dev` brings.
"""

from pathlib import Path

PAGE = Path(".dvc", "plots", "page.html")
VEGA_LITE = "5.20"
"""Version of Vega-Lite, whose schema DVC's templates name (v5)."""
_TEMPLATE = """\
<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="utf-8">
    {refresh_tag}
    <title>DVC plots</title>
    <link rel="icon" href="data:,">
    <style>
        body { font: 15px/1.5 system-ui, sans-serif; }
        table { border-spacing: 15px; }
    </style>
    <script>
/* Written by scripts/write_plots_page.py: Vega VEGA, Vega-Lite LITE and Vega-Embed EMBED in one piece, by
vl-convert-python CONVERT. Copyright (c) 2015-2023, University of Washington Interactive Data Lab and others.
BSD 3-Clause:

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met:
1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following
   disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
   disclaimer in the documentation and/or other materials provided with the distribution.
3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote products
   derived from this software without specific prior written permission.
THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.

Inside are parts of d3 and of topojson, Copyright (c) 2010-2023 Mike Bostock and others, ISC: Permission to use, copy,
modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies. */
(function () {
BUNDLE
}());
    </script>
    <script>
        const embed = window.vegaEmbed;
        // the editor is a page of another server
        window.vegaEmbed = (place, plot) => embed(place, plot, {actions: {editor: false}});
    </script>
</head>
<body>
    {plot_divs}
</body>
</html>
"""


def page() -> str:
    """Make the page with its placeholders, which DVC fills."""
    from importlib.metadata import version

    import vl_convert

    bundle = vl_convert.javascript_bundle(vl_version=VEGA_LITE).strip()  # type: ignore[call-arg] # its stub lacks a default
    versions = {
        "VEGA": vl_convert.get_vega_version(),
        "LITE": VEGA_LITE,
        "EMBED": vl_convert.get_vega_embed_version(),
        "CONVERT": version("vl-convert-python"),
    }
    text = _TEMPLATE
    for name, value in versions.items():
        text = text.replace(f" {name}", f" {value}", 1)
    return text.replace("BUNDLE", bundle.replace("</script", "<\\/script"), 1)


def main() -> None:
    """Write the page of this checkout."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {PAGE.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
