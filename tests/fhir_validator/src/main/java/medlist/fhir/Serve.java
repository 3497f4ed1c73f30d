package medlist.fhir;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Validates resources against base FHIR R4 (4.0.1) and the definitions of the folders named as arguments; nothing is fetched.
 *
 * <p>The first line out says how many definitions there are. Then one line in, one line out. In: canonicals of profiles
 * with spaces between them (or none), a tab, the resource as JSON on the same line. Out: {@code {"issues": [...]}}.
 * Exit status 2: a definition that cannot be used.
 */
public final class Serve {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int BAD_DEFINITIONS = 2;

  private Serve() {}

  public static void main(String[] folders) throws Exception {
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    Validator validator;
    try {
      Definitions definitions = Definitions.read(Arrays.stream(folders).map(Path::of).toList());
      validator = new Validator(definitions);
      validator.issues("{\"resourceType\": \"Basic\"}", List.of()); // reads the base definitions, before anybody waits
      answer(out, JSON.createObjectNode().put("definitions", definitions.count()));
    } catch (Definitions.UnusableException unusable) {
      System.err.println(unusable.getMessage());
      System.exit(BAD_DEFINITIONS);
      return;
    }
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      int tab = line.indexOf('\t');
      String asked = line.substring(0, Math.max(tab, 0)).strip();
      List<String> profiles = asked.isEmpty() ? List.of() : List.of(asked.split(" +"));
      ObjectNode told = JSON.createObjectNode();
      told.set("issues", validator.issues(line.substring(tab + 1), profiles));
      answer(out, told);
    }
  }

  private static void answer(PrintStream out, ObjectNode told) throws Exception {
    out.println(JSON.writeValueAsString(told));
    out.flush();
  }
}
