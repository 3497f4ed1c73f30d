package medlist.fhir;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirDefaultPolicyAdvisor;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.common.hapi.validation.validator.WorkerContextValidationSupportAdapter;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;

/** Base R4 and our definitions, as strict as they can be without a terminology server. */
final class Validator {

  private final FhirValidator validator;

  Validator(Definitions definitions) throws Definitions.UnusableException {
    FhirContext context = definitions.context();
    // One for everything: a new one for each snapshot would translate all base definitions to R5 each time, for half a second.
    WorkerContextValidationSupportAdapter worker = new WorkerContextValidationSupportAdapter();
    IValidationSupport chain = chain(definitions, worker);
    worker.setValidationSupport(chain);
    definitions.prove(chain);
    validator = context.newValidator();
    validator.registerValidatorModule(strict(chain, worker));
  }

  /** Everything there is to say about a resource, warnings included; a text that is no resource is an issue too. */
  ArrayNode issues(String resource, List<String> profiles) {
    ArrayNode issues = JsonNodeFactory.instance.arrayNode();
    ValidationOptions options = new ValidationOptions();
    profiles.forEach(options::addProfile);
    for (SingleValidationMessage message : validator.validateWithResult(resource, options).getMessages()) {
      issues.addObject()
          .put("severity", message.getSeverity().getCode())
          .put("place", message.getLocationString())
          .put("rule", message.getMessageId())
          .put("text", message.getMessage());
    }
    return issues;
  }

  private static IValidationSupport chain(Definitions definitions, WorkerContextValidationSupportAdapter worker) {
    FhirContext context = definitions.context();
    // A code system that we do not hold (ATC, NPL, SNOMED CT) is a warning; the shape of its codes is for our profiles.
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
    ValidationSupportChain chain = new ValidationSupportChain(
        ValidationSupportChain.CacheConfiguration.defaultValues(),
        definitions.support(),
        new DefaultProfileValidationSupport(context),
        new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context),
        new SnapshotGeneratingValidationSupport(context, worker),
        unknown);
    // FHIR: one coding in the bound value set is enough; HAPI's default wants every one of them in it.
    chain.setCodeableConceptValidationSuccessfulIfNotAllCodingsAreValid(true);
    return chain;
  }

  private static FhirInstanceValidator strict(IValidationSupport chain, WorkerContextValidationSupportAdapter worker) {
    FhirInstanceValidator strict = new FhirInstanceValidator(chain);
    strict.setWrappedWorkerContext(chain, worker);
    strict.setAnyExtensionsAllowed(false); // an extension that nobody defines is an error
    strict.setErrorForUnknownProfiles(true); // so is a profile that nobody defines
    strict.setNoTerminologyChecks(false);
    strict.setBestPracticeWarningLevel(BestPracticeWarningLevel.Ignore);
    strict.setAssumeValidRestReferences(true); // "Medication/1" as a subject is a wrong type
    strict.setValidatorPolicyAdvisor(new FhirDefaultPolicyAdvisor() {
      @Override
      public ReferenceValidationPolicy policyForReference(
          IResourceValidator asked, Object appContext, String path, String url, ReferenceDestinationType type) {
        return ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS; // the default ignores references
      }
    });
    strict.setValidatorResourceFetcher(new OfflineFetcher());
    return strict;
  }
}
