// Practice in a notebook: one question, its answers behind buttons, and how well it was known.
// The kernel sends `view` (what to show) and `proof` (what the evidence printed); the page sends
// {do: "run" | "rate" | "more", key}, where `key` says which question was meant.

const PARTS = [
	["s", "short", "In 30 seconds"],
	["l", "long", "In two minutes"],
	["f", "follow_ups", "What comes next"],
	["w", "wrong", "The wrong answer"],
	["e", "shows", "Show me"],
];
const RATINGS = ["Again", "Hard", "Good", "Easy"];

function make(tag, className, text) {
	const element = document.createElement(tag);
	if (className) element.className = className;
	if (text !== undefined) element.textContent = text;
	return element;
}

class Card {
	constructor(model, el) {
		this.model = model;
		this.el = make("section", "pgi");
		this.el.tabIndex = -1;
		this.el.setAttribute("aria-label", "Practice");
		this.el.setAttribute("data-lm-suppress-shortcuts", "true"); // or JupyterLab takes the keys
		this.el.addEventListener("keydown", (event) => this.key(event));
		this.aloud = make("p", "pgi-aloud");
		this.aloud.setAttribute("role", "status");
		el.append(this.el, this.aloud);
		this.draw();
	}

	get view() {
		return this.model.get("view");
	}

	send(what) {
		this.model.send({ key: this.view.key, ...what });
	}

	draw() {
		const held = this.el.contains(document.activeElement);
		const view = this.view;
		const same = this.drawn === view.key; // only a note has come
		const open = same ? [...this.parts.keys()].filter((letter) => this.open(letter)) : [];
		this.drawn = view.key;
		this.parts = new Map();
		this.rates = [];
		this.el.replaceChildren();
		if (view.note) this.el.append(make("p", "pgi-note", view.note));
		if (view.end) this.drawEnd(view);
		else this.drawQuestion(view);
		for (const letter of open) this.parts.get(letter).open = true;
		if (held) this.el.focus();
		this.aloud.textContent = held ? view.end || this.el.querySelector(".pgi-asked").innerText : "";
	}

	drawEnd(view) {
		this.el.append(make("p", "pgi-end", view.end));
		if (!view.more) return;
		const more = make("button", "", `Ask me ${view.more} new ones`);
		more.addEventListener("click", () => this.send({ do: "more" }));
		this.el.append(more);
	}

	drawQuestion(view) {
		const head = make("div", "pgi-head", view.where);
		head.append(make("span", "", view.count));
		const asked = make("div", "pgi-asked");
		asked.innerHTML = view.question; // made of Markdown by the kernel, its HTML escaped
		this.el.append(head, asked);
		this.el.append(make("p", "pgi-say", "Say your answer aloud, in 30 seconds. Then look."));
		for (const [letter, name, title] of PARTS) this.el.append(this.drawPart(view, letter, name, title));
		this.el.append(this.drawRatings(view));
		const keys = PARTS.map(([letter, , title]) => `${letter} ${title.toLowerCase()}`).join(" · ");
		this.el.append(make("p", "pgi-keys", `Keys: ${keys} · 1 to 4 how it was`));
	}

	drawPart(view, letter, name, title) {
		const part = make("details");
		part.append(make("summary", "", title));
		const inside = make("div", "pgi-inside");
		inside.innerHTML = view[name];
		part.append(inside);
		if (letter === "e") this.drawEvidence(inside, view);
		part.addEventListener("toggle", () => this.known());
		this.parts.set(letter, part);
		return part;
	}

	drawEvidence(inside, view) {
		if (view.test) inside.append(make("p", "pgi-test", view.test));
		inside.append(make("pre", "pgi-code", view.code));
		this.run = make("button", "", "Run it here");
		this.run.addEventListener("click", () => this.prove());
		this.proof = make("div", "pgi-proof");
		this.proof.setAttribute("role", "status");
		inside.append(this.run, this.proof);
		this.drawProof();
	}

	drawProof() {
		const proof = this.model.get("proof");
		if (!this.proof || proof.key !== this.view.key) return;
		this.run.setAttribute("aria-disabled", String(proof.running));
		this.proof.replaceChildren();
		if (proof.running) {
			this.proof.append(make("p", "", "Running …"));
			return;
		}
		this.proof.dataset.held = proof.held;
		const said = proof.held ? "✓ The claim held here." : "✗ The claim was not shown.";
		this.proof.append(make("p", "pgi-verdict", said));
		if (proof.printed) this.proof.append(make("pre", "", proof.printed));
		if (proof.trouble) this.proof.append(make("p", "", proof.trouble));
	}

	drawRatings(view) {
		const row = make("div", "pgi-ratings");
		row.setAttribute("role", "group");
		row.setAttribute("aria-label", "How was it?");
		row.append(make("span", "pgi-how", "How was it?"));
		for (const [place, name] of RATINGS.entries()) {
			const button = make("button", "");
			button.append(make("b", "", name), make("span", "", view.intervals[place]));
			button.title = `Key ${place + 1}: comes again in ${view.intervals[place]}`;
			button.addEventListener("click", () => this.rate(place + 1));
			this.rates.push(button);
			row.append(button);
		}
		this.known();
		return row;
	}

	// An answer must be seen before it can be rated.
	known() {
		this.seen = this.seen === this.view.key || this.open("s") || this.open("l") ? this.view.key : 0;
		for (const button of this.rates) button.setAttribute("aria-disabled", String(!this.seen));
	}

	open(letter) {
		return this.parts.get(letter).open;
	}

	prove() {
		if (this.run.getAttribute("aria-disabled") !== "true") this.send({ do: "run" });
	}

	rate(rating) {
		if (this.seen) this.send({ do: "rate", rating });
		else this.aloud.textContent = "First look at an answer.";
	}

	key(event) {
		event.stopPropagation();
		if (event.ctrlKey || event.metaKey || event.altKey || this.view.end) return;
		const part = this.parts.get(event.key);
		if (part) {
			part.open = !part.open;
			part.firstChild.focus();
		} else if ("1234".includes(event.key)) this.rate(Number(event.key));
		else return;
		event.preventDefault();
	}
}

function render({ model, el }) {
	const card = new Card(model, el);
	const draw = () => card.draw();
	const prove = () => card.drawProof();
	model.on("change:view", draw);
	model.on("change:proof", prove);
	return () => {
		model.off("change:view", draw);
		model.off("change:proof", prove);
	};
}

export default { render };
