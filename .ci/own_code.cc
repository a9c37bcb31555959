// A plugin for clang-tidy 14: its checks walk through what the project declares, and leave out what
// system headers do. They would otherwise walk through the whole standard library for each file,
// only for what is found there to be suppressed; as clang-tidy does of itself from version 21 on.
// .ci/tidy builds and loads it.
#include <clang/AST/ASTConsumer.h>
#include <clang/AST/ASTContext.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/FrontendPluginRegistry.h>

#include <memory>
#include <string>
#include <vector>

namespace {

class OwnCode : public clang::ASTConsumer {
  void HandleTranslationUnit(clang::ASTContext& context) override {
    std::vector<clang::Decl*> own;
    for (clang::Decl* declaration : context.getTranslationUnitDecl()->decls()) {
      // Of what a macro makes, the place where it is used counts: a TEST is the project's own.
      const auto place = context.getSourceManager().getExpansionLoc(declaration->getLocation());
      if (place.isValid() && !context.getSourceManager().isInSystemHeader(place))
        own.push_back(declaration);
    }
    context.setTraversalScope(own);
  }
};

class Plugin : public clang::PluginASTAction {
  std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance&,
                                                        llvm::StringRef) override {
    return std::make_unique<OwnCode>();
  }
  bool ParseArgs(const clang::CompilerInstance&, const std::vector<std::string>&) override {
    return true;
  }
  ActionType getActionType() override { return AddBeforeMainAction; }
};

const clang::FrontendPluginRegistry::Add<Plugin> kRegistered(
    "own-code", "Checks look at the project's own code only");

}  // namespace
