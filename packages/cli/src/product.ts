/** The version of the program, as it stands in its package. */
export const productVersion = "0.1.0";
