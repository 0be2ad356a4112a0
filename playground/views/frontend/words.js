// Scenes and timeline: a picture of one trace at one moment.
//
// Python derives the states (playground.trace.states) and sends rows; these files only draw.
// Everything on screen is a function of (rows, t). `render` in widget.js is what anywidget calls.
// The files are joined in the order that __init__.py names, into one module.
//
// A message is one JSON line and then rows of 24 bytes, little-endian:
//   t_us f64 | dur_us f64 (NaN = open) | request u32 | lane u16 | kind u8 | flags u8
// kind 1..5 is a state; 102 the client's own clock, 110 an idle loop, 111 a gauge, whose value is dur_us.
//
// Tests read `el.__view.state()`.

const QUEUED = 1, RUNNING = 2, WAITING = 3, READY = 4, SERVED = 5, CLIENT = 102, IDLE = 110, GAUGE = 111;
const LOWER_BOUND = 1, ERROR = 2, SAMPLED = 4;
const NAME_SHIFT = 4; // flags of a wait: above these bits is the number of what it waits for, in `awaits`
const UNTRACKED = 0x80000000;
const PROBE = 0xc0000000; // here the probes of a run are numbered from PROBE + 1 on: behind everybody else
const ROW = 24;
const LAG = "loop lag"; // the name of that gauge
const STATES = [QUEUED, RUNNING, WAITING, READY, SERVED];
const WORDS = {
	[QUEUED]: "queued", [RUNNING]: "running", [WAITING]: "waiting",
	[READY]: "ready, not running", [SERVED]: "in service, unknown which",
};
const THEMES = {
	light: {
		ink: "#1d1d24", muted: "#5f6673", faint: "#e2e4e9", panel: "#f5f6f8", paper: "#ffffff",
		alarm: "#b3261e", many: "#4a5264", lamp: "#ffd34d",
		colors: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8f7ee7", "#8c8c2b"],
	},
	dark: {
		ink: "#ececf1", muted: "#a3a8b4", faint: "#363943", panel: "#1f2128", paper: "#15161a",
		alarm: "#ff8a80", many: "#aab2c5", lamp: "#c79a1b",
		colors: ["#3a97d9", "#e69f00", "#17b286", "#d98bb6", "#7cc7f2", "#e8752a", "#a396f0", "#a9a944"],
	},
};
const SPEEDS = [[1, "1×"], [0.5, "½×"], [0.1, "0.1×"], [0.01, "0.01×"]];
const MESSAGE_LIMIT_S = 0.25; // how far a live clock may run ahead of the last message
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

// ---- numbers in words

function seconds(s) {
	const a = Math.abs(s);
	if (a === 0) return "0 s";
	if (a >= 9.995) return s.toFixed(1) + " s";
	if (a >= 0.9995) return s.toFixed(2) + " s";
	const ms = s * 1000, m = a * 1000;
	if (m >= 99.5) return ms.toFixed(0) + " ms";
	if (m >= 0.9995) return String(Number(ms.toPrecision(m >= 9.95 ? 2 : 2))) + " ms";
	return Math.round(s * 1e6) + " µs";
}
const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;
const name = (n) => (n >= PROBE ? `probe ${n - PROBE}` : n >= UNTRACKED ? `untracked ${n - UNTRACKED}` : `#${n}`);
const tag = (n) => (n >= PROBE ? `p${n - PROBE}` : n >= UNTRACKED ? `?${n - UNTRACKED}` : `#${n}`);
const clamp = (v, lo, hi) => Math.min(hi, Math.max(lo, v));
const share = (cpu, dur) => {
	const p = dur > 0 ? Math.min(100, (cpu / dur) * 100) : 0;
	return (p >= 9.95 ? p.toFixed(0) : p.toFixed(1)) + " % CPU";
};

/** Nearest rank: the smallest value that a share `q` of them does not exceed. */
function percentile(sorted, q) {
	return sorted.length ? sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] : NaN;
}

