import { FreeholdError } from "@freehold/client";

/** The code of the error that `work` ends with, or "none". */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof FreeholdError) return error.code;
    throw error;
  }
  return "none";
}
