// Beside the minified bundle, so that tsc reads the package's types and not the bundle's code.
export * from "socket.io-client";
