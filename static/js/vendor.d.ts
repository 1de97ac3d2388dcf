/** The part of socket.io-client that the page uses; the file itself is fetched, not kept here. */
declare module "*/socket.io.esm.min.js" {
  export const io: import("./socket_io.js").OpenSocket;
}
