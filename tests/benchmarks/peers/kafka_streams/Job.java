import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The job in Kafka Streams, exactly once: a RocksDB store with a changelog. */
public class Job {
  static final String STORE = "patients";

  /** The newest version of each fact; one result per patient of the record. */
  static class Merge implements Processor<byte[], byte[], byte[], byte[]> {
    private final ObjectMapper json = new ObjectMapper();
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<String, byte[]> store;

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
      context = given;
      store = given.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      try {
        JsonNode decoded = json.readTree(record.value());
        Map<String, ObjectNode> dirty = new LinkedHashMap<>();
        for (JsonNode fact : decoded.isArray() ? decoded : List.of(decoded)) {
          String patient = fact.get("patient").asText();
          ObjectNode known = dirty.get(patient);
          if (known == null) {
            byte[] stored = store.get(patient);
            known = stored == null ? json.createObjectNode() : (ObjectNode) json.readTree(stored);
            dirty.put(patient, known);
          }
          JsonNode before = known.get(fact.get("fact_key").asText());
          if (before == null || before.get("version").asLong() < fact.get("version").asLong()) {
            known.set(fact.get("fact_key").asText(), fact);
          }
        }
        for (Map.Entry<String, ObjectNode> entry : dirty.entrySet()) {
          store.put(entry.getKey(), json.writeValueAsBytes(entry.getValue()));
          context.forward(record.withKey(entry.getKey().getBytes()).withValue("{}".getBytes()));
        }
      } catch (java.io.IOException error) {
        throw new IllegalStateException(error);
      }
    }
  }

  public static void main(String[] arguments) {
    String prefix = arguments[1];
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, prefix + "group");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put("auto.offset.reset", "earliest");
    Topology topology = new Topology();
    topology.addSource("facts", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), prefix + "fact");
    topology.addProcessor("merge", Merge::new, "facts");
    topology.addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.String(), Serdes.ByteArray()), "merge");
    topology.addSink("results", prefix + "out", Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "merge");
    KafkaStreams streams = new KafkaStreams(topology, settings);
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
