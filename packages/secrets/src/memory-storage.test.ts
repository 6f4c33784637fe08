import { storageContract } from "../test/storage-contract.ts";
import { memoryStorage } from "./memory-storage.ts";

storageContract({
  name: "memory",
  open: async () => {
    const storage = memoryStorage();
    return { storage, peer: storage, close: async () => undefined };
  },
});
