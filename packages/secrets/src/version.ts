/** The version of Vault whose API is followed: what clients read to decide what they may ask for. */
export const vaultVersion = "1.13.3";
