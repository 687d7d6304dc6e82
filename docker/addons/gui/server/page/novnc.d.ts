// What the page uses of noVNC, which brings no types: https://github.com/novnc/noVNC/blob/master/docs/API.md
declare module "@novnc/novnc" {
  interface Events {
    connect: CustomEvent<Record<string, never>>;
    disconnect: CustomEvent<{ clean: boolean }>;
    clipboard: CustomEvent<{ text: string }>;
  }

  export default class RFB {
    constructor(target: HTMLElement, url: string, options?: { shared?: boolean });
    background: string;
    clipViewport: boolean;
    dragViewport: boolean;
    focusOnClick: boolean;
    resizeSession: boolean;
    scaleViewport: boolean;
    addEventListener<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): void;
    clipboardPasteFrom(text: string): void;
    focus(): void;
  }
}
