"""A page that draws a run which goes on elsewhere: the window it lies in hands it the messages.

It is to lie in a sandboxed frame: it needs no network, no origin and no hand, and shows the
timeline without the scene above it, as ``svg`` draws it when the run is over. The window posts
``{theme, frame}``: "light" or "dark", and a message (``wire.pack``) as an ``ArrayBuffer``, or null.
The page posts 0 as soon as it listens, then its height in pixels. No numpy is needed for this.
"""

from functools import cache

from playground.views import frontend
from playground.views.document import document

STYLE = """html { overflow: hidden; background: #fff; }
html[data-theme="dark"] { background: #15161a; }
body { padding: 0; }
.pgv { max-width: none; }
.pgv-controls, .pgv-hint, section > canvas { display: none !important; }
"""

BODY = """<div id="view"></div>
<script type="module">
{module}
window.devicePixelRatio = 2; // the window it lies in may make it larger
let hear = () => {{}};
const model = {{
  get: () => "", off() {{}}, send() {{}},
  on(name, call) {{ if (name === "msg:custom") hear = call; }},
}};
render({{ model, el: document.getElementById("view") }});
addEventListener("message", ({{ source, data }}) => {{
  if (source !== parent) return;
  document.documentElement.dataset.theme = data.theme;
  if (data.frame) hear({{ type: "frame" }}, [new DataView(data.frame)]);
}});
parent.postMessage(0, "*");
new ResizeObserver(([body]) => parent.postMessage(Math.ceil(body.contentRect.height), "*"))
  .observe(document.body);
</script>"""


@cache
def page() -> str:
    """The document, the same for all runs."""
    body = BODY.format(module=frontend.module())
    return document("A run", body, width=4000, style=frontend.style() + STYLE)
