// ---- the food truck: one cook (event loop) for everybody; what waits is in the ovens, what could
// go on and may not is on the pass

const HOLDS_S = 0.05; // a step of that length is called holding the loop

/** What a cook does: short, and what that means for the others. */
function cookSays(cook) {
	if (!cook.lane) return ["not seen yet", ""];
	if (cook.step) return [`${tag(cook.step.n)} in hand`, "holds the loop"];
	return cook.idle ? ["hands free", "waits for the bell"] : ["hands free", "between two steps"];
}

function cooksSay(m) {
	const c = m.count, parts = [];
	const held = m.cooks.filter((k) => k.step);
	if (m.cooks.length > 1) parts.push(`of ${m.cooks.length} cooks ${held.length} with hands full${held.length ? ` (${held.map((k) => name(k.step.n)).join(", ")})` : ""}`);
	else if (held.length) parts.push(`${name(held[0].step.n)} has been in the cook's hands for ${seconds(m.t - held[0].step.a)}`);
	else if (m.cooks.length && m.cooks[0].idle) parts.push("the cook waits for the bell");
	const helped = m.cooks.flatMap((k) => k.helpers).filter((h) => h.span).length;
	const doing = [[c[WAITING], "waiting at an await"], [c[READY], "ready, not running"], [helped, "with a helper (pool thread)"]];
	const words = doing.filter(([n]) => n).map(([n, what]) => `${n} ${what}`).join(", ");
	return words ? [...parts, words] : parts;
}

class Truck extends Scene {
	/** Where things stand; depends on the width and what is observed, not on the moment. */
	static plan(run, width) {
		const wide = width >= 720, fleet = run.trucks > 1, shown = Math.min(run.trucks, 6);
		const hands = run.pool.length && !fleet ? 84 : 0; // room for the helpers
		const side = wide ? Math.round(clamp(width * 0.21, 150, 260) - (width < 960 ? 20 : 0)) : width - 28;
		const line = { x: wide ? 16 : 14, y: 40, w: wide ? side - 10 : side, h: wide ? 202 : 84 };
		const x = wide ? side + 24 : 30, y = wide ? 44 : line.y + line.h + 36;
		if (fleet) {
			const each = shown > 3 ? 84 : 96, w = width - x - 16;
			return { wide, fleet, line, shown, each, body: { x, y, w, h: each * shown }, height: y + each * shown + (run.trucks > shown ? 30 : 10) };
		}
		const kitchen = wide ? Math.max(170, Math.round(width * 0.2)) : width - 28;
		const body = { x, y, w: wide ? width - x - kitchen - 36 : width - 44, h: wide ? 204 : 216 };
		const below = body.y + body.h + 30;
		const ovens = wide ? { x: width - kitchen - 16, y: 44, w: kitchen, h: 204 } : { x: 14, y: below + 26, w: kitchen, h: 88 };
		const bottom = wide ? below + 8 : ovens.y + ovens.h + 12;
		const helpers = hands && { x: 14, y: bottom + 24, w: width - 28, h: hands - 30 };
		return { wide, fleet, line, body, ovens, helpers, height: bottom + (hands && hands + 6) };
	}

	draw() {
		const { m, p } = this;
		this.drawn.trucks = m.cooks.map((cook) => ({
			lane: cook.lane ? cook.lane.id : null, hands: cook.step ? cook.step.n : null, says: cookSays(cook).join(", "),
			bell: !!cook.idle, lag: lagWords(cook.lag), tickets: [], ovens: [], pass: [], helpers: [],
		}));
		const z = p.line, y = p.wide ? 128 : z.y + 20;
		this.heading("WINDOW", "(in line)", z.x + 4, 20, z.w - 10);
		this.line(z, z.x + z.w - (p.wide ? 26 : 24), y, p.wide ? 56 : 48, { none: "nobody in line", y: p.wide ? 200 : z.y + z.h - 12, up: p.wide ? 0 : 14 });
		if (p.fleet) this.fleet();
		else this.truck(m.cooks[0], this.drawn.trucks[0]);
	}

	/** One truck with everything in it. */
	truck(cook, drawn) {
		const { brush, m, p } = this, { c } = brush, b = p.body;
		this.heading("TICKET RAIL", "(requests in the house)", b.x + 12, b.y - 24, b.w - 20);
		this.body(b, true);
		this.rail(cook, drawn, b.x + 14, b.y + 12, b.w - 28);
		const half = p.wide ? Math.round(b.w * 0.38) : Math.round(b.w * 0.31), top = b.y + 64;
		const at = b.x + b.w * (b.w < 520 ? 0.45 : 0.5), k = p.wide ? 1.08 : 1;
		this.cook(cook, at, b.y + b.h - 50 * k - 3, k);
		const x = at + 94 * k, max = b.x + b.w - x - 8, [what, how] = cookSays(cook), long = cook.step && m.t - cook.step.a >= HOLDS_S;
		brush.text(what, x, top + 20, { size: 16, bold: true, max });
		const below = [cook.step && !long ? "" : how, cook.step ? `for ${seconds(m.t - cook.step.a)}` : ""].filter(Boolean);
		below.forEach((words, i) => brush.text(words, x, top + 41 + i * 19, { size: 14, bold: long && !i, color: long ? c.alarm : c.muted, max }));
		this.bell(cook, at - 62, b.y + b.h - 58);
		this.lag(cook, x, b.y + b.h - 30, max);
		this.pass(cook, drawn, { x: b.x + 14, y: top + 20, w: half - (p.wide ? 26 : 20), h: b.h - 96 });
		this.ovens(cook, drawn);
		if (p.helpers) this.helpers(cook, drawn);
	}

	body(b, large) {
		const { brush } = this, { c } = brush, k = large ? 1 : 0.55, floor = b.y + b.h;
		for (const x of [b.x + 46 * k, b.x + b.w - 62 * k]) {
			brush.round(x, floor + 6 * k, 15 * k, 15 * k, c.muted);
			brush.round(x, floor + 6 * k, 6 * k, 6 * k, c.panel);
		}
		brush.box(b.x, b.y, b.w, b.h, [4, 18 * k, 4, 4], c.paper, c.muted, 2.2);
		for (let i = 0; i < 4 * k; i++) { // the awning over the window
			const x = b.x - 6 - 0.1, y = b.y + 14 + i * 12 * k;
			brush.lines([[x + 6, y, x - 14 * k, y + 5 * k, x - 14 * k, y + 17 * k, x + 6, y + 12 * k, x + 6, y]], c.muted, 1.1, i % 2 ? c.paper : c.muted);
		}
	}

	/** A ticket: its number on its colour, below it the state as texture. */
	rail(cook, drawn, x, y, w) {
		const { brush, run } = this, { c } = brush, all = cook.tickets, most = Math.max(run.shown, 1);
		const fixed = w / most >= 17.5, pitch = fixed ? Math.min(36, w / most) : 22, fits = Math.floor((w - (fixed ? 0 : 56)) / pitch);
		brush.lines([[x - 4, y, x + w + 4, y]], c.muted, 3);
		all.slice(0, fixed ? all.length : fits).forEach(({ r, span }, i) => {
			const at = x + (fixed ? r.i : i) * pitch, wide = pitch - 4, color = brush.color(r.n), low = y + 39;
			this.dim(r.n);
			const teeth = [at + wide, low];
			for (let k = 3; k >= 0; k--) teeth.push(at + (wide * (k + 0.5)) / 4, low + 4, at + (wide * k) / 4, low);
			const shape = [at, y + 2, at + wide, y + 2, ...teeth];
			brush.lines([shape], null, 0, c.paper);
			brush.lines([shape], color, 1, brush.paint(span.s, color));
			brush.box(at, y + 2, wide, 19, 0, color);
			brush.text(String(r.n >= UNTRACKED ? tag(r.n) : r.n), at + wide / 2, y + 12, { size: pitch > 26 ? 14 : pitch > 20 ? 11.5 : 10.5, bold: true, color: brush.ink(r.n), align: "center", max: pitch });
			this.hit(at + wide / 2, y + 20, Math.max(12, wide / 2), r.n);
			drawn.tickets.push(r.n);
		});
		this.dim(0);
		if (all.length > drawn.tickets.length) brush.text(`+ ${all.length - drawn.tickets.length}`, x + w, y + 22, { size: 16, bold: true, align: "right" });
		if (!all.length) brush.text("no ticket hangs", x + 2, y + 20, { size: 13, color: c.muted });
	}

	/** The cook, with the request of the current step in the pan; (x, y) is the middle of the waist. */
	cook(cook, x, y, k) {
		const { brush } = this, { c, g } = brush, ink = cook.lane ? c.ink : c.muted;
		if (cook.step) this.dim(cook.step.n);
		g.save();
		g.translate(x, y);
		g.scale(k, k);
		g.lineCap = "round";
		brush.round(0, -34, 12, 12, ink); // head
		brush.box(-12, -53, 24, 9, 3, ink); // hat
		for (const [dx, r] of [[-9, 7], [0, 9], [9, 7]]) brush.round(dx, -58, r, r, ink);
		brush.lines([[-10, -45.5, 10, -45.5]], c.paper, 1.4);
		brush.lines([[-12, -19, 12, -19, 19, 50, -19, 50]], null, 0, ink);
		brush.lines([[-6, -19, 6, -19, 0, -9]], null, 0, c.paper); // the collar
		if (cook.step) {
			brush.lines([[9, -10, 26, 6, 42, 4]], ink, 6);
			brush.round(60, 6, 23, 6, c.paper, ink, 3);
		} else brush.lines([[12, -12, 21, 8, 17, 26], [-12, -12, -21, 8, -17, 26]], ink, 6);
		g.restore();
		if (cook.step) {
			brush.chip(x + 60 * k, y - 12 * k, 17 * k, cook.step.n);
			this.hit(x + 60 * k, y - 12 * k, 19 * k, cook.step.n);
		}
		this.dim(0);
	}

	/** The selector: the cook hears it only with free hands. */
	bell(cook, x, y) {
		const { brush } = this, { c, g } = brush, on = !!cook.idle, hue = on ? c.ink : c.muted;
		g.globalAlpha = on ? 1 : 0.55;
		brush.round(x, y - 10, 2.6, 2.6, hue);
		g.beginPath();
		g.arc(x, y + 8, 15, Math.PI, 0);
		g.closePath();
		brush.finish(on ? c.lamp : null, hue, 2);
		brush.box(x - 19, y + 8, 38, 4, 2, hue);
		if (on) brush.lines([[x - 20, y - 10, x - 27, y - 15], [x + 20, y - 10, x + 27, y - 15], [x, y - 17, x, y - 24]], hue, 2);
		g.globalAlpha = 1;
		brush.text("bell", x, y + 23, { size: 12.5, bold: true, color: c.muted, align: "center" });
		brush.text(on ? "listening" : cook.step ? "unheard" : "", x, y + 38, { size: 12.5, bold: on, color: on ? c.ink : c.muted, align: "center" });
	}

	/** How late the loop is, on a scale that ends with the longest of the run so far known. */
	lag(cook, x, y, w) {
		const { brush, run } = this, { c } = brush, lag = cook.lag, late = lag && lag.v >= HOLDS_S;
		const words = ["loop lag ", "lag ", ""].map((s) => s + lagWords(lag));
		brush.text(words.find((s) => brush.measure(s, 13.5, true) <= w) || words[2], x, y, { size: 13.5, bold: true, color: late ? c.alarm : c.ink, max: w });
		brush.box(x, y + 12, w - 8, 7, 3, c.faint);
		if (!lag) return;
		const part = clamp(lag.v / Math.max(run.longest.v, 0.1), 0, 1) * (w - 8);
		if (part > 1) brush.box(x, y + 12, part, 7, 3, late ? c.alarm : c.muted);
	}

	/** Places of equal size for up to `n`; the largest kind that fits. */
	grid(zone, n, kinds) {
		for (const [w, h, size] of kinds) {
			const columns = Math.max(1, Math.floor(zone.w / w)), rows = Math.floor(zone.h / h);
			if (columns * rows >= n || kinds[kinds.length - 1][2] === size) return { columns, fits: columns * rows, w: zone.w / columns, h: clamp(zone.h / Math.ceil(n / columns), h, h * 1.5), size };
		}
		return null;
	}

	/** Plates in a grid, textured as the state; those for which there is no room are counted. */
	plates(zone, all, grid, state, words, drawn) {
		const { brush } = this, { c } = brush, shown = all.length > grid.fits ? grid.fits - 1 : all.length;
		all.slice(0, shown).forEach(({ r, span }, i) => {
			const x = zone.x + (i % grid.columns) * grid.w, y = zone.y + Math.floor(i / grid.columns) * grid.h, w = grid.w - 5, h = grid.h - 5;
			const text = [words(r, span), tag(r.n)].find((s) => brush.measure(s, grid.size, true) + 5 < w) || "";
			this.dim(r.n);
			brush.bar(x, y, w, h, state, brush.color(r.n));
			if (grid.size && text) brush.text(text, x + w / 2, y + h / 2, { size: grid.size, bold: true, align: "center", plate: c.paper + "d8" });
			this.hit(x + w / 2, y + h / 2, Math.max(h / 2 + 4, Math.min(w / 2, 26)), r.n);
			drawn.push(r.n);
		});
		this.dim(0);
		if (all.length > shown) brush.text(`+ ${all.length - shown}`, zone.x + (shown % grid.columns) * grid.w + grid.w / 2, zone.y + Math.floor(shown / grid.columns) * grid.h + grid.h / 2 - 2, { size: 13, bold: true, align: "center", max: grid.w });
	}

	pass(cook, drawn, zone) {
		const { brush, m } = this, { c } = brush;
		this.heading("THE PASS", "(ready)", zone.x, zone.y - 14, zone.w);
		const bound = (span) => (span.f & LOWER_BOUND ? "≥ " : "");
		const grid = this.grid(zone, this.run.total, [[96, 30, 13], [54, 28, 13], [44, 24, 12]]);
		if (cook.pass.length) this.plates(zone, cook.pass, grid, READY, (r, span) => `${tag(r.n)} ${bound(span)}${seconds(m.t - span.a)}`, drawn.pass);
		else brush.text(this.run.used.has(READY) ? "empty" : "none known", zone.x, zone.y + 8, { size: 13, color: c.muted, max: zone.w });
		if (cook.pass.length > 1) brush.text(`${cook.pass.length} could go on`, zone.x, zone.y + zone.h - 4, { size: 12.5, bold: true, max: zone.w });
	}

	ovens(cook, drawn) {
		const { brush, m, p, run } = this, { c } = brush, o = p.ovens;
		this.heading("OVENS", "(awaits)", o.x, p.wide ? 20 : o.y - 16, o.w);
		brush.box(o.x, o.y, o.w, o.h, 8, c.paper, c.faint, 1.4);
		const zone = { x: o.x + 9, y: o.y + 9, w: o.w - 13, h: o.h - 30 };
		const grid = this.grid(zone, run.total, [[118, 34, 13], [84, 30, 13], [44, 24, 12.5], [36, 19, 11.5], [14, 13, 0]]);
		this.plates(zone, cook.ovens, grid, WAITING, (r, span) => `${tag(r.n)} ${seconds(m.t - span.a)}`, drawn.ovens);
		const n = cook.ovens.length;
		const words = n ? [`${n} wait${n === 1 ? "s" : ""}, nobody stands by`, `${n} wait${n === 1 ? "s" : ""}`] : ["nothing is awaited"];
		brush.text(words.find((s) => brush.measure(s, 12.5, true) < o.w - 10) || words[words.length - 1], o.x + o.w / 2, o.y + o.h - 12, { size: 12.5, bold: !!n, color: n ? c.ink : c.muted, align: "center", max: o.w - 10 });
	}

	/** Pool threads: each works for one request, beside the loop. */
	helpers(cook, drawn) {
		const { brush, p, m } = this, { c, g } = brush, z = p.helpers, all = cook.helpers, busy = all.filter((h) => h.span);
		const queue = cook.poolQueue ? `; ${plural(cook.poolQueue, "job waits", "jobs wait")} for one` : "";
		this.heading("HELPERS", `(pool threads): ${busy.length} of ${all.length} at work${queue}`, z.x + 2, z.y - 12, z.w);
		const pitch = clamp(z.w / Math.max(all.length, 1), 30, 124), fits = Math.floor(z.w / pitch), large = pitch >= 76;
		all.slice(0, all.length > fits ? fits - 1 : fits).forEach(({ lane, span }, i) => {
			const x = z.x + i * pitch + 18, y = z.y + 24, color = span ? brush.color(span.n) : c.muted;
			this.dim(span ? span.n : -1);
			if (!span) g.setLineDash([3, 3]);
			brush.round(x, y, 14, 14, c.paper);
			brush.round(x, y, 14.5, 14.5, null, span ? brush.paint(span.s, color) : c.muted, span ? 6 : 1.4);
			g.setLineDash([]);
			if (span) { brush.chip(x, y, 12, span.n); this.hit(x, y, 17, span.n); }
			if (large) {
				brush.text(lane.name.replace(/^.*, /, ""), x + 23, y - 8, { size: 12, color: c.muted, max: pitch - 44 });
				brush.text(span ? seconds(m.t - span.a) : "free", x + 23, y + 8, { size: 12.5, bold: !!span, color: span ? c.ink : c.muted, max: pitch - 44 });
			}
			drawn.helpers.push({ lane: lane.id, request: span ? span.n : null });
		});
		this.dim(0);
		if (all.length > fits) brush.text(`+ ${all.length - fits + 1}`, z.x + (fits - 1) * pitch + 4, z.y + 24, { size: 13, bold: true });
	}

	/** Several trucks, one below the other: who cooks what, and the tickets with their states. */
	fleet() {
		const { brush, m, p, run } = this, { c } = brush, b = p.body;
		this.heading(`${run.trucks} TRUCKS`, "(processes, each with a cook: an event loop)", b.x, b.y - 24, b.w);
		m.cooks.slice(0, p.shown).forEach((cook, i) => {
			const y = b.y + i * p.each, h = p.each - 24, drawn = this.drawn.trucks[i], long = cook.step && m.t - cook.step.a >= HOLDS_S, k = (h - 10) / 122;
			this.body({ x: b.x, y, w: b.w, h }, false);
			this.cook(cook, b.x + 26, y + h - 50 * k - 2, k);
			const x = b.x + 98, [what, how] = cookSays(cook), w = p.wide ? 168 : 128;
			const who = cook.lane ? `${cook.lane.name} · pid ${cook.lane.pid}` : `truck ${i + 1}`;
			brush.text(who, x, y + 14, { size: 12, color: c.muted, max: w });
			brush.text(what, x, y + 32, { size: 14, bold: true, color: long ? c.alarm : c.ink, max: w });
			brush.text(cook.step ? `${long ? "holds the loop" : "for"} ${seconds(m.t - cook.step.a)}` : how, x, y + 50, { size: 12.5, color: long ? c.alarm : c.muted, max: w });
			this.stack(cook, drawn, x + w + 8, y + 7, b.x + b.w - x - w - 16, h);
		});
		if (run.trucks > p.shown) brush.text(`+ ${run.trucks - p.shown} more trucks`, b.x, b.y + p.shown * p.each + 8, { size: 13, bold: true });
	}

	/** The tickets of a small truck, as rings textured by state, and in words. */
	stack(cook, drawn, x, y, w, h) {
		const { brush } = this, { c } = brush, all = cook.tickets, fits = Math.floor(w / 29), shown = all.length > fits ? fits - 1 : all.length;
		all.slice(0, Math.max(0, shown)).forEach(({ r, span }, i) => {
			const cx = x + 14 + i * 29;
			this.dim(r.n);
			brush.round(cx, y + 14, 12, 12, null, brush.paint(span.s, brush.color(r.n)), 4);
			brush.chip(cx, y + 14, 9.5, r.n);
			this.hit(cx, y + 14, 14, r.n);
			drawn.tickets.push(r.n);
		});
		this.dim(0);
		if (all.length > shown) brush.text(`+ ${all.length - shown}`, x + Math.max(0, shown) * 29 + 4, y + 14, { size: 13, bold: true });
		const helped = cook.helpers.filter((one) => one.span).length;
		const words = [[cook.ovens.length, "in the ovens"], [cook.pass.length, "on the pass"], [helped, "with helpers"]].filter(([n]) => n).map((pair) => pair.join(" "));
		brush.text(words.join(", ") || "no ticket hangs", x + 2, y + 38, { size: 12.5, color: c.muted, max: w - 4 });
		if (h > 64) brush.text(`loop lag ${lagWords(cook.lag)}`, x + 2, y + 55, { size: 12.5, bold: true, color: cook.lag && cook.lag.v >= HOLDS_S ? c.alarm : c.ink, max: w - 4 });
	}
}
