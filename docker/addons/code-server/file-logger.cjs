// VS Code's log files. Stands in for @vscode/spdlog, whose native part would need a compiler to build;
// it has the same functions, writes the same lines, and starts a new file at the same size.
const fs = require("node:fs");
const path = require("node:path");

const LEVELS = ["trace", "debug", "info", "warning", "error", "critical", "off"];
let defaultLevel = 2;

class Logger {
  #level = defaultLevel;
  #plain = false;
  #stream;
  #size;

  constructor(_type, _name, file, bytesMax, filesMax) {
    Object.assign(this, { file, bytesMax, filesMax });
    this.#open();
  }

  #open() {
    this.#stream = fs.createWriteStream(this.file, { flags: "a" });
    // A full disk or a removed folder must not end the editor.
    this.#stream.on("error", () => {});
    this.#size = fs.existsSync(this.file) ? fs.statSync(this.file).size : 0;
  }

  #rotate() {
    this.#stream.end();
    const { dir, name, ext } = path.parse(this.file);
    const numbered = (n) => (n === 0 ? this.file : path.join(dir, `${name}.${n}${ext}`));
    for (let n = this.filesMax - 1; n >= 0; n--) {
      if (fs.existsSync(numbered(n))) fs.renameSync(numbered(n), numbered(n + 1));
    }
    this.#open();
  }

  #write(level, message) {
    if (level < this.#level) return;
    const time = new Date().toISOString().replace("T", " ").replace("Z", "");
    const line = this.#plain ? String(message) : `${time} [${LEVELS[level]}] ${message}\n`;
    this.#size += Buffer.byteLength(line);
    if (this.#size > this.bytesMax) this.#rotate();
    this.#stream.write(line);
  }

  trace(message) {
    this.#write(0, message);
  }
  debug(message) {
    this.#write(1, message);
  }
  info(message) {
    this.#write(2, message);
  }
  warn(message) {
    this.#write(3, message);
  }
  error(message) {
    this.#write(4, message);
  }
  critical(message) {
    this.#write(5, message);
  }
  getLevel() {
    return this.#level;
  }
  setLevel(level) {
    this.#level = level;
  }
  setPattern() {}
  clearFormatters() {
    this.#plain = true;
  }
  flush() {}
  drop() {
    this.#stream.end();
  }
}

async function create(name, file, bytesMax, filesMax) {
  await fs.promises.mkdir(path.dirname(file), { recursive: true });
  return new Logger("rotating", name, file, bytesMax, filesMax);
}

exports.version = 1;
exports.setLevel = (level) => {
  defaultLevel = level;
};
exports.setFlushOn = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
