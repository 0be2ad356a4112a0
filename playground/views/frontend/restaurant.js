// ---- the restaurant: every table (request in service) has a waiter (worker) of its own

const WAITER = { // what a waiter does: one, many, and where there is little room
	[RUNNING]: ["is cooking (CPU)", "cook (CPU)", "cooks"], [WAITING]: ["stands and waits", "stand and wait", "waits"],
	[READY]: ["wants the CPU", "want the CPU", "wants CPU"], [SERVED]: ["is occupied", "are occupied", "occupied"],
	0: ["free", "free", "free"],
};

function waitersSay(m) {
	if (m.tables.length <= 3) {
		return m.tables.map((w, i) => {
			const who = w.lane ? w.lane.name : `waiter ${i + 1}`;
			return `${who} ${w.state ? WAITER[w.state][0] : "is free"}${w.r ? ` (${name(w.r.n)})` : ""}`;
		});
	}
	const doing = [WAITING, RUNNING, READY, SERVED, 0].map((s) => [s, m.tables.filter((w) => w.state === s).length]).filter(([, n]) => n);
	const words = doing.map(([s, n]) => `${n === m.tables.length ? "all" : n} ${s ? WAITER[s][n === 1 ? 0 : 1] : n === 1 ? "is free" : "are free"}`);
	return [`of ${m.tables.length} waiters ${words.join(", ")}`];
}

const TABLES = [ // slot width, slot height, kind, scale: largest first
	[204, 146, "large", 1], [142, 122, "medium", 0.7], [104, 96, "small", 0.5], [40, 40, "dot", 0],
];

function tableGrid(n, width, height) {
	for (const [w, h, kind, k] of TABLES) {
		const columns = Math.min(n, Math.floor(width / w)), rows = Math.ceil(n / columns), used = rows * h + (k ? 0 : 44);
		if (columns && used <= height) return { kind, k, columns, rows, w: Math.min(width / columns, w * 1.25), h, height: used };
	}
	return { kind: "count", height: 84 };
}

class Restaurant extends Scene {
	/** Where things stand; depends on the width and what is observed, not on the moment. */
	static plan(run, width) {
		const n = run.waiters;
		if (width >= 720) {
			const wall = Math.round(width * 0.3), k = run.waits ? 200 : 0;
			const dining = { x: wall + 42, y: 40, w: width - wall - 42 - k - (k ? 30 : 16), h: 204 };
			return {
				height: 254, wide: true, wall, door: { x: 16, y: 40, w: wall - 16, h: 204 }, dining,
				grid: tableGrid(n, dining.w, dining.h), kitchen: k && { x: width - k - 16, y: 40, w: k, h: 198 },
			};
		}
		const w = width - 28, grid = tableGrid(n, w, w < 408 ? 260 : 300), door = { x: 14, y: 36, w, h: 96 };
		const dining = { x: 14, y: door.y + door.h + 34, w, h: grid.height };
		const kitchen = run.waits && { x: 14, y: dining.y + dining.h + 34, w, h: 44 }, last = kitchen || dining;
		return { height: last.y + last.h + 12, wide: false, wall: width - 18, door, dining, grid, kitchen };
	}

	draw() {
		Object.assign(this.drawn, { tables: [], kitchen: [] });
		this.door();
		this.dining();
		if (this.p.kitchen) this.kitchen();
	}

	door() {
		const { brush, p } = this, { c, g } = brush, z = p.door, x = p.wall, y = p.wide ? 128 : z.y + 26;
		this.heading("DOOR", "(accept queue, by the clients' clock)", z.x + 4, 20, z.w - 10);
		const top = p.wide ? 40 : z.y - 6, bottom = p.wide ? p.height - 16 : z.y + z.h - 12, gap = p.wide ? 32 : 24;
		g.lineCap = "round";
		brush.lines([[x, top, x, y - gap], [x, y + gap + 4, x, bottom]], c.muted, 3);
		g.beginPath();
		g.moveTo(x, y - gap);
		g.quadraticCurveTo(x - 3, y - gap * 0.2, x - 24, y - gap * 0.1);
		brush.finish(null, c.muted, 1.6);
		this.line(z, x - 42, y, p.wide ? 56 : 48, { none: "nobody waits at the door", y: p.wide ? 204 : z.y + z.h - 14, up: p.wide ? 0 : 14 });
	}

	dining() {
		const { brush, m, p } = this, { c, g } = brush, z = p.dining, grid = p.grid, by = [0, 0, 0, 0, 0, 0], all = [WAITING, RUNNING, READY, SERVED, 0];
		this.heading("DINING ROOM", "(workers)", z.x, z.y - 20, z.w);
		for (const w of m.tables) {
			by[w.state]++;
			this.drawn.tables.push({ lane: w.lane ? w.lane.id : null, request: w.r ? w.r.n : null, says: WAITER[w.state][0] });
		}
		if (!grid.k) {
			let x = z.x;
			for (const s of all) {
				if (!by[s]) continue;
				x += brush.text(String(by[s]), x, z.y + 8, { size: 21, bold: true }) + 6;
				x += brush.text(WAITER[s][by[s] === 1 ? 0 : 1], x, z.y + 10, { size: 13 }) + 20;
			}
		}
		if (grid.kind === "count") {
			let x = z.x;
			for (const s of all) {
				const w = (z.w * by[s]) / m.tables.length;
				if (w && s) brush.bar(x, z.y + 36, w, 34, s, c.many);
				else if (w) brush.box(x + 0.5, z.y + 36.5, w - 1, 33, 2, null, c.muted, 1);
				x += w;
			}
			return;
		}
		const top = z.y + (grid.k ? (p.wide ? (z.h - grid.height) / 2 : 0) : 30);
		m.tables.forEach((w, i) => {
			const x = z.x + (i % grid.columns) * grid.w, y = top + Math.floor(i / grid.columns) * grid.h;
			this.dim(w.r ? w.r.n : -1);
			if (grid.k) this.table(w, i, x, y);
			else {
				if (w.r) brush.chip(x + 17, y + 17, 11, w.r.n); else g.setLineDash([3, 3]);
				if (w.r) this.hit(x + 17, y + 17, 17, w.r.n);
				brush.round(x + 17, y + 17, 14.5, 14.5, null, w.r ? brush.paint(w.state, brush.color(w.r.n)) : c.muted, w.r ? 5 : 1.4);
				g.setLineDash([]);
			}
		});
		this.dim(0);
	}

	table(w, i, x, y) {
		const { brush } = this, { c, g } = brush, slot = this.p.grid, { k } = slot, small = slot.kind === "small";
		const rx = 58 * k, ry = 35 * k, cx = x + slot.w / 2 - 18 * k, cy = y + ry + 8, color = w.r ? brush.color(w.r.n) : c.muted;
		brush.round(cx, cy, rx, ry, c.paper);
		if (w.r) {
			const alpha = g.globalAlpha;
			g.globalAlpha = alpha * (w.state === RUNNING ? 0.45 : 0.6);
			brush.round(cx, cy, rx, ry, brush.paint(w.state, color));
			g.globalAlpha = alpha;
			brush.round(cx, cy, rx, ry, null, color, 3);
			brush.round(cx, cy, 20 * k + 1.5, 20 * k + 1.5, c.paper);
			brush.chip(cx, cy, Math.max(18 * k, 11), w.r.n);
			this.hit(cx, cy, rx, w.r.n);
		} else {
			g.setLineDash([5, 5]);
			brush.round(cx, cy, rx, ry, null, color, 1.6);
			g.setLineDash([]);
		}
		this.waiter(cx + rx + 25 * k, cy + 2, k, w.state, color);
		const who = w.lane ? w.lane.name : `waiter ${i + 1}`, full = w.lane ? `${who} · pid ${w.lane.pid}` : `${who} · not seen yet`;
		const middle = x + slot.w / 2, below = cy + ry, title = brush.measure(full, 12.5) <= slot.w - 8 ? full : who;
		brush.text(title, middle, below + (small ? 13 : 19), { size: small ? 11.5 : 12.5, color: c.muted, align: "center", max: slot.w - 6 });
		brush.text(WAITER[w.state][small ? 2 : 0], middle, below + (small ? 29 : 38), { size: k === 1 ? 14 : 13, bold: true, color: w.state ? c.ink : c.muted, align: "center", max: slot.w - 4 });
	}

	waiter(x, y, k, state, color) {
		const { brush } = this, { c, g } = brush, ink = state ? c.ink : c.muted;
		g.save();
		g.translate(x, y);
		g.scale(k, k);
		g.lineCap = "round";
		brush.round(0, -20, 8, 8, ink);
		brush.lines([[-7, -10, 7, -10, 11, 12, -11, 12]], null, 0, ink);
		brush.lines([[-4, -10, 4, -10, 0, -4]], null, 0, c.panel); // the shirt
		if (state === RUNNING) { // cooks: a hat, and a pan in use
			brush.lines([[6, -4, 15, 0, 24, -2]], ink, 3);
			brush.box(-7, -34, 14, 9, 4, ink);
			brush.round(29, -2, 9, 3.4, ink);
			brush.round(29, -8, 5, 5, color);
		} else if (state) { // stands with the tray
			brush.lines([[6, -3, 14, -8, 22, -11]], ink, 3);
			brush.round(24, -13, 9, 2.6, ink);
		} else brush.lines([[9, -7, 14, 6], [-9, -7, -14, 6]], ink, 3); // arms at rest
		g.restore();
	}

	kitchen() {
		const { brush, m, p } = this, { c } = brush, z = p.kitchen, waiting = m.service.filter((s) => s.span.s === WAITING);
		this.heading("KITCHEN", "(app waits for)", z.x, z.y - 20, z.w);
		brush.box(z.x, z.y, z.w, z.h, 8, c.paper, c.faint);
		if (!waiting.length) brush.text("nothing is awaited", z.x + z.w / 2, z.y + z.h / 2, { size: 13, color: c.muted, align: "center" });
		const h = p.wide ? 40 : 30, across = p.wide ? 1 : Math.max(1, Math.floor(z.w / 130)), w = (z.w - 16) / across;
		const fits = Math.floor((z.h - 8) / (h + 6)) * across, shown = waiting.length > fits ? fits - 1 : waiting.length;
		for (let i = 0; i <= shown && i < waiting.length; i++) {
			const x = z.x + 8 + (i % across) * w, y = z.y + 8 + Math.floor(i / across) * (h + 6), { r, span } = waiting[i];
			const style = { size: 13, bold: true, align: "center", max: w - 12 };
			if (i === shown) { this.dim(0); brush.text(`+ ${waiting.length - shown} more wait`, x + w / 2, y + h / 2, style); break; }
			this.dim(r.n);
			brush.bar(x + 2, y, w - 4, h, WAITING, brush.color(r.n));
			brush.text(`${tag(r.n)} waits ${seconds(m.t - span.a)}`, x + w / 2, y + h / 2, { ...style, plate: c.paper + "d0" });
			this.hit(x + w / 2, y + h / 2, h / 2 + 12, r.n);
			this.drawn.kitchen.push(r.n);
		}
	}
}

