package medlist.fhir;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import ca.uhn.fhir.parser.DataFormatException;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.StrictErrorHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.r4.model.ElementDefinition;
import org.hl7.fhir.r4.model.Resource;
import org.hl7.fhir.r4.model.StructureDefinition;

/** Profiles, extensions and value sets of ours, read from folders of JSON files. */
final class Definitions {

  /** A definition that cannot be used; the message names it and says why. */
  static final class UnusableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnusableException(String message) {
      super(message);
    }
  }

  private final FhirContext context;
  private final PrePopulatedValidationSupport support;
  private final List<StructureDefinition> structures = new ArrayList<>();
  private int count;

  private Definitions(FhirContext context) {
    this.context = context;
    this.support = new PrePopulatedValidationSupport(context);
  }

  /** Reads every JSON file below the folders; an element or a value that R4 does not know is refused. */
  static Definitions read(List<Path> folders) throws IOException, UnusableException {
    Definitions read = new Definitions(FhirContext.forR4());
    IParser parser = read.context.newJsonParser();
    parser.setParserErrorHandler(new StrictErrorHandler());
    for (Path folder : folders) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.filter(path -> path.toString().endsWith(".json")).sorted().toList()) {
          read.add(parser, file);
        }
      }
    }
    return read;
  }

  private void add(IParser parser, Path file) throws IOException, UnusableException {
    try {
      Resource resource = (Resource) parser.parseResource(Files.readString(file));
      support.addResource(resource);
      count++;
      if (resource instanceof StructureDefinition structure) {
        structures.add(structure);
      }
    } catch (DataFormatException error) {
      throw new UnusableException(file + ": " + error.getMessage());
    }
  }

  FhirContext context() {
    return context;
  }

  IValidationSupport support() {
    return support;
  }

  int count() {
    return count;
  }

  /** Generates every snapshot once, so that a profile which says something else than it means is seen at the start. */
  void prove(IValidationSupport chain) throws UnusableException {
    for (StructureDefinition structure : structures) {
      String url = structure.getUrl();
      try {
        var made = chain.generateSnapshot(
            new ValidationSupportContext(chain), structure.copy(), url, null, structure.getName());
        if (!(made instanceof StructureDefinition whole) || !whole.hasSnapshot()) {
          throw new UnusableException(url + ": no snapshot");
        }
        for (ElementDefinition element : structure.getDifferential().getElement()) {
          kept(url, element, whole);
        }
      } catch (RuntimeException error) {
        throw new UnusableException(url + ": " + error.getMessage());
      }
    }
  }

  /** Snapshot generation drops, silently, what stands out of the base's order of elements. */
  private static void kept(String url, ElementDefinition asked, StructureDefinition whole) throws UnusableException {
    String place = url + " " + asked.getId();
    ElementDefinition made = whole.getSnapshot().getElement().stream()
        .filter(one -> one.getId().equals(asked.getId()))
        .findFirst()
        .orElseThrow(() -> new UnusableException(place + ": not in the snapshot"));
    for (var rule : asked.getConstraint()) {
      if (made.getConstraint().stream().noneMatch(one -> rule.getKey().equals(one.getKey())
          && rule.getExpression().equals(one.getExpression()))) {
        throw new UnusableException(place + ": constraint " + rule.getKey() + " was lost; is the order of elements right?");
      }
    }
    if (asked.hasMin() && asked.getMin() != made.getMin() || asked.hasMax() && !asked.getMax().equals(made.getMax())) {
      throw new UnusableException(place + ": its cardinality was lost; is the order of elements right?");
    }
  }
}
