// ---- the widget

/** While a view lives, the static pictures of the same run in the same output are hidden. */
class Twins {
	constructor(el, key) {
		Object.assign(this, { el, key, hidden: new Map() });
		this.look();
	}

	/** Called again once attached: a restored view is drawn before. */
	look() {
		if (this.area || !this.key) return;
		this.area = this.el.closest(".jp-OutputArea, .output, .output_wrapper, .cell_container, .cell-output, [data-playground-area]");
		if (!this.area) return;
		this.hide();
		this.watch = new MutationObserver(() => this.hide());
		this.watch.observe(this.area, { childList: true, subtree: true });
	}

	hide() {
		for (const twin of this.area.querySelectorAll(`[data-playground-static="${this.key}"]`)) {
			let box = twin;
			while (box.parentElement && box.parentElement !== this.area) box = box.parentElement;
			if (box.contains(this.el) || this.hidden.has(box)) continue;
			this.hidden.set(box, box.style.display);
			box.style.display = "none";
		}
	}

	dispose() {
		if (this.watch) this.watch.disconnect();
		for (const [box, display] of this.hidden) box.style.display = display;
	}
}

function render({ model, el }) {
	const view = new View(el);
	let wait;
	el.__view = { state: () => view.report(), view };
	const take = (head) => {
		view.el.hidden = view.controls.hidden = false;
		if (!view.twins) view.twins = new Twins(el, model.get("key"));
		view.load(head);
	};
	const hello = () => {
		try { model.send({ type: "hello", seq: view.seq }); } catch { /* no kernel: what is stored is shown */ }
	};
	view.act = (name) => model.send({ type: "act", name });
	const final = () => {
		const stored = model.get("final");
		if (stored && stored.byteLength) take(unpack(stored));
	};
	const message = (content, buffers) => {
		if (content.type !== "frame" || (model.get("final") || {}).byteLength) return;
		const head = unpack(buffers[0]);
		if (head.seq <= view.seq) return;
		if (head.base && head.base !== view.seq) hello(); // something was missed: ask for all of it
		else take(head);
	};
	model.on("change:final", final);
	model.on("msg:custom", message);
	final();
	hello();
	if (!view.twins) {
		view.el.hidden = true;
		wait = setTimeout(() => {
			if (view.twins) return;
			view.el.hidden = false;
			view.controls.hidden = true;
			view.say.textContent = "No news from the kernel of this picture: run the cell again to see it move.";
		}, 5000);
	}
	return () => {
		clearTimeout(wait);
		model.off("change:final", final);
		model.off("msg:custom", message);
		if (view.twins) view.twins.dispose();
		view.dispose();
		delete el.__view;
	};
}

export default { render };
