const CODES = { red: 31, green: 32, yellow: 33, blue: 34, cyan: 36, grey: 90, bold: 1 } as const;
export type Colour = keyof typeof CODES;

/** Tells the story: with colour and lines that change in place on a terminal, as plain lines elsewhere. */
export class Teller {
  readonly live: boolean;
  readonly #out: NodeJS.WriteStream;
  readonly #colour: boolean;
  readonly #began = performance.now();
  #boardLines = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.live = out.isTTY === true && process.env['TERM'] !== 'dumb';
    this.#colour = this.live && process.env['NO_COLOR'] === undefined;
  }

  paint(colour: Colour, text: string): string {
    return this.#colour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
  }

  heading(text: string): void {
    this.line('');
    this.line(`${this.paint('blue', '━━')} ${this.paint('bold', text)}`);
  }

  line(text: string): void {
    this.#clearBoard();
    this.#out.write(`${text}\n`);
  }

  /** With the time since the beginning. */
  event(text: string): void {
    const seconds = ((performance.now() - this.#began) / 1_000).toFixed(1).padStart(5);
    this.line(`   ${this.paint('grey', `${seconds} s`)}  ${text}`);
  }

  /** Lines that the next call replaces; nothing where lines cannot be replaced. */
  board(lines: readonly string[]): void {
    if (!this.live) return;
    this.#clearBoard();
    this.#out.write(lines.map((line) => `${line}\n`).join(''));
    this.#boardLines = lines.length;
  }

  #clearBoard(): void {
    if (this.#boardLines > 0) this.#out.write(`\u001b[${this.#boardLines}A\u001b[J`);
    this.#boardLines = 0;
  }
}

/** Text from elsewhere cannot move the cursor. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
