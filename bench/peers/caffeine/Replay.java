import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * Replays a stream of keys (64-bit, little endian) on a cache of so many entries: looks each up, and
 * puts in what is missing. Prints the hits. Maintenance runs on the calling thread, so that nothing
 * depends on when another thread gets its turn.
 *
 * <p>usage: Replay KEYS CAPACITY
 */
public final class Replay {
  public static void main(String[] arguments) throws Exception {
    try (var file = FileChannel.open(Path.of(arguments[0]))) {
      var keys = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size())
          .order(ByteOrder.LITTLE_ENDIAN)
          .asLongBuffer();
      Cache<Long, Boolean> cache = Caffeine.newBuilder()
          .maximumSize(Long.parseLong(arguments[1]))
          .executor(Runnable::run)
          .build();
      long hits = 0;
      while (keys.hasRemaining()) {
        Long key = keys.get();
        if (cache.getIfPresent(key) != null) {
          hits++;
        } else {
          cache.put(key, Boolean.TRUE);
        }
      }
      System.out.println(hits);
    }
  }
}
