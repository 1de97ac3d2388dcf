/**
 * Draws lists of shapes. Lengths are in the scene's own units, the origin is at the top left and y
 * points down; angles are in degrees, clockwise from the positive x axis.
 */

/** @import { Shape } from "./python.js" */

/**
 * @typedef {object} Style
 * @property {string} [fill] CSS color, black if not given; a line has none
 * @property {string} [stroke] CSS color of the outline, which is left out if not given
 * @property {number} [line_width]
 * @property {number} [opacity] 0 to 1
 *
 * @typedef {Style & {shape: "rect", x: number, y: number, width: number, height: number}} Rect
 * @typedef {Style & {shape: "circle", x: number, y: number, radius: number}} Circle
 * @typedef {Style & {shape: "sector", x: number, y: number, radius: number, start_deg: number,
 *   end_deg: number}} Sector
 * @typedef {Style & {shape: "polygon", points: [number, number][]}} Polygon
 * @typedef {Style & {shape: "line", x1: number, y1: number, x2: number, y2: number}} Line
 * @typedef {Style & {shape: "text", x: number, y: number, text: string, size: number,
 *   align?: CanvasTextAlign}} Text
 * @typedef {Rect | Circle | Sector | Polygon | Line | Text} KnownShape
 */

const DEFAULT_COLOR = "black";

export class GameCanvas {
  /** The `<canvas>`. */ element;
  #size;
  #context;
  /** @type {KnownShape[]} */ #shapes = [];

  /**
   * @param {HTMLCanvasElement} element
   * @param {{width: number, height: number}} size in the scene's units
   */
  constructor(element, size) {
    this.element = element;
    this.#size = size;
    this.#context = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d"));
    element.style.aspectRatio = `${size.width} / ${size.height}`;
    // Its width follows the page's; its resolution follows its width.
    new ResizeObserver(() => this.#fit()).observe(element);
  }

  /** @param {Shape[]} shapes those behind first; unknown ones are left out */
  draw(shapes) {
    this.#shapes = /** @type {KnownShape[]} */ (shapes);
    this.#paint();
  }

  #fit() {
    const { width } = this.#size;
    const pixels = Math.round((this.element.clientWidth || width) * window.devicePixelRatio);
    this.element.width = pixels;
    this.element.height = Math.round((pixels * this.#size.height) / width);
    this.#paint();
  }

  #paint() {
    const context = this.#context;
    const scale = this.element.width / this.#size.width;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.#size.width, this.#size.height);
    for (const shape of this.#shapes) {
      context.globalAlpha = shape.opacity ?? 1;
      context.fillStyle = shape.fill ?? DEFAULT_COLOR;
      context.strokeStyle = shape.stroke ?? DEFAULT_COLOR;
      context.lineWidth = shape.line_width ?? 1;
      if (shape.shape === "text") {
        this.#write(shape);
      } else {
        this.#trace(shape);
      }
    }
  }

  /** @param {Text} shape */
  #write({ x, y, text, size, align, stroke }) {
    const context = this.#context;
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textAlign = align ?? "left";
    context.textBaseline = "alphabetic";
    if (stroke !== undefined) {
      context.strokeText(text, x, y);
    }
    context.fillText(text, x, y);
  }

  /** @param {Exclude<KnownShape, Text>} shape */
  #trace(shape) {
    const path = outline(shape);
    if (shape.shape !== "line") {
      this.#context.fill(path);
    }
    if (shape.stroke !== undefined) {
      this.#context.stroke(path);
    }
  }
}

/**
 * @param {Exclude<KnownShape, Text>} shape
 * @returns {Path2D} empty for a shape that is not known
 */
function outline(shape) {
  const path = new Path2D();
  switch (shape.shape) {
    case "rect":
      path.rect(shape.x, shape.y, shape.width, shape.height);
      break;
    case "circle":
      path.arc(shape.x, shape.y, shape.radius, 0, 2 * Math.PI);
      break;
    case "sector":
      path.moveTo(shape.x, shape.y);
      path.arc(shape.x, shape.y, shape.radius, radians(shape.start_deg), radians(shape.end_deg));
      path.closePath();
      break;
    case "polygon":
      for (const [x, y] of shape.points) {
        path.lineTo(x, y);
      }
      path.closePath();
      break;
    case "line":
      path.moveTo(shape.x1, shape.y1);
      path.lineTo(shape.x2, shape.y2);
      break;
  }
  return path;
}

/** @param {number} degrees */
function radians(degrees) {
  return (degrees * Math.PI) / 180;
}
