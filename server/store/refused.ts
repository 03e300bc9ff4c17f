/** Why a store was not opened: the message tells the operator what is wrong and what to do. */
export class StoreRefused extends Error {
  override readonly name = "StoreRefused";
}
