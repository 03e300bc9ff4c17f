/** Codes of Green Button, in words. @see https://www.naesb.org/ESPI_Standards.asp (REQ.21) */
import { fh, unit } from "@freehold/vocab";

/** `uom`: the unit to write, and the power of ten from the meter's unit to it: watt hours are read as kilowatt hours. */
export const UNITS: Readonly<Record<string, readonly [iri: string, power: number]>> = {
  5: [unit.A, 0],
  23: [unit.DEG_C, 0],
  29: [unit.V, 0],
  31: [unit.J, 0],
  38: [unit.W, 0],
  42: [unit.M3, 0],
  61: [unit["V-A"], 0],
  63: [unit["V-A_Reactive"], 0],
  71: [unit["V-A-HR"], 0],
  72: [unit["KiloW-HR"], -3],
  73: [unit["V-A_Reactive-HR"], 0],
  119: [unit.FT3, 0],
  128: [unit.GAL_US, 0],
  130: [unit.GAL_IMP, 0],
  132: [unit.BTU_IT, 0],
  134: [unit.L, 0],
  169: [unit.THM_US, 0],
};

/** What is observed, by `commodity` and, for electricity, `flowDirection` (19 is towards the grid). */
export function propertyOf(commodity: string | null, flow: string | null, uom: string): string {
  if (commodity === "7") return fh.gasConsumed;
  if (commodity === "9") return fh.waterConsumed;
  const isEnergy =
    uom === "72" && (commodity === null || commodity === "0" || commodity === "1" || commodity === "2");
  if (!isEnergy) return fh.meteredQuantity;
  return flow === "19" ? fh.electricityProduced : fh.electricityConsumed;
}

/** ISO 4217 by number: the currencies of countries whose suppliers write Green Button, and of our neighbours. */
export const CURRENCIES: Readonly<Record<string, string>> = {
  36: "AUD",
  72: "BWP",
  124: "CAD",
  156: "CNY",
  203: "CZK",
  208: "DKK",
  344: "HKD",
  348: "HUF",
  352: "ISK",
  356: "INR",
  376: "ILS",
  392: "JPY",
  404: "KES",
  410: "KRW",
  458: "MYR",
  484: "MXN",
  516: "NAD",
  554: "NZD",
  566: "NGN",
  578: "NOK",
  702: "SGD",
  710: "ZAR",
  752: "SEK",
  756: "CHF",
  826: "GBP",
  834: "TZS",
  840: "USD",
  946: "RON",
  949: "TRY",
  978: "EUR",
  985: "PLN",
  986: "BRL",
};

/** `cost` counts hundred-thousandths of the currency. */
export const COST_POWER = -5;
