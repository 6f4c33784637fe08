/** The versions whose HTTP APIs and command lines this follows: what is told to clients that ask for a version. */
export const consulVersion = "1.16.4";
export const nomadVersion = "1.6.5";
export const vaultVersion = "1.13.3";
