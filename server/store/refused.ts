import { OperatorError } from "../errors.ts";

/** Why a store was not opened: the message tells the operator what is wrong and what to do. */
export class StoreRefused extends OperatorError {
  override readonly name = "StoreRefused";
}
